"""Signing up, through the pages: a shop for who proves his address, one for a form sent twice, none for a stranger."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from common.testing.clients import ShopClient
from notifications.models import QueuedEmail
from tenants import services
from tenants.errors import SignUpOver, WrongCode
from tenants.models import SignUp, Tenant
from tenants.testing import create_shop, in_schema

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Ana's Bricks",
    "slug": "anas",
    "currency": "EUR",
    "country": "PT",
    "timezone": "Europe/Lisbon",
    "display_name": "Ana Silva",
    "email": "Ana@Example.com",
    "password": "correct horse battery",
}


@pytest.fixture
def site() -> ShopClient:
    return ShopClient(host=settings.BASE_DOMAIN)


def _code() -> str:
    with in_schema("public"):
        queued = QueuedEmail.objects.filter(template_key="sign_up_code").latest("created_at")
    found = re.search(r"\b\d{6}\b", queued.body_text)
    assert found
    return found[0]


def _begin(site: ShopClient, **changes: str) -> Any:
    return site.post("/sign-up/", {**FORM, **changes})


def _other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_leads_from_the_form_into_the_new_shop(site: ShopClient):
    assert _begin(site).headers["Location"] == "/sign-up/code/"
    page = site.get("/sign-up/code/")
    assert b"ana@example.com" in page.content
    assert not Tenant.objects.filter(slug="anas").exists()

    answer = site.post("/sign-up/code/", {"code": f" {_code()[:3]} {_code()[3:]} "})
    assert answer.headers["Location"] == "/sign-up/open/"
    opened = site.get("/sign-up/open/")
    found = re.search(rb'href="http://anas\.testserver\.localhost(/welcome/[^"]+)"', opened.content)
    assert found

    shop = ShopClient(host=f"anas.{settings.BASE_DOMAIN}")
    way_in = found[1].decode()
    assert shop.get(way_in).status_code == 200
    assert shop.post(way_in).status_code == 302
    assert shop.get("/settings/general/").status_code == 200


def test_lets_nobody_in_twice_by_the_code(site: ShopClient):
    _begin(site)
    site.post("/sign-up/code/", {"code": _code()})
    first = re.search(rb"/welcome/[^\"]+", site.get("/sign-up/open/").content)
    assert first
    shop = ShopClient(host=f"anas.{settings.BASE_DOMAIN}")
    assert shop.post(first[0].decode()).status_code == 302

    assert shop.post(first[0].decode()).status_code in (404, 410)
    assert b"/welcome/" not in site.get("/sign-up/open/").content


def test_keeps_no_password_and_no_code_as_they_were_typed(site: ShopClient):
    _begin(site)

    sign_up = SignUp.objects.get()
    assert sign_up.password.startswith("md5$")
    assert _code() not in sign_up.code_hash
    site.post("/sign-up/code/", {"code": _code()})
    sign_up.refresh_from_db()
    assert sign_up.password == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slug": "www"}, "kept for Brikonnect"),
        ({"slug": "-"}, "at least 3"),
        ({"slug": "shop"}, "kept for Brikonnect"),
        ({"slug": "taken"}, "belongs to another shop"),
        ({"email": "ana"}, "valid email"),
        ({"password": "short"}, "too short"),
        ({"password": "password1"}, "too common"),
        ({"password": "ana@example.com"}, "too similar"),
        ({"timezone": "Mars/Olympus"}, "valid choice"),
        ({"currency": "CHF"}, "valid choice"),
        ({"name": ""}, "required"),
    ],
)
def test_says_beside_the_field_what_is_wrong(site: ShopClient, changes: dict[str, str], words: str):
    create_shop(schema="t_taken", host=f"taken.{settings.BASE_DOMAIN}")

    response = _begin(site, **changes)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert b"correct horse" not in response.content
    assert not SignUp.objects.exists()


def test_refuses_wrong_codes_and_then_all(site: ShopClient):
    _begin(site)
    right = _code()
    for left in (4, 3, 2, 1):
        response = site.post("/sign-up/code/", {"code": _other_than(right)})
        assert response.status_code == 422
        assert f"{left} tr".encode() in response.content

    assert b"Too many wrong codes" in site.post("/sign-up/code/", {"code": _other_than(right)}).content
    assert b"Too many wrong codes" in site.post("/sign-up/code/", {"code": right}).content
    assert not Tenant.objects.filter(slug="anas").exists()


def test_sends_another_code_in_place_of_the_first(site: ShopClient):
    _begin(site)
    first = _code()
    assert site.post("/sign-up/code/resend/").headers["Location"] == "/sign-up/code/?sent=again"
    second = _code()

    if first != second:
        assert site.post("/sign-up/code/", {"code": first}).status_code == 422
    assert site.post("/sign-up/code/", {"code": second}).status_code == 302


def test_sends_only_so_many(site: ShopClient):
    _begin(site)
    for _ in range(3):
        site.post("/sign-up/code/resend/")

    assert site.post("/sign-up/code/resend/").status_code == 429


def test_forgets_a_sign_up_whose_code_is_too_old(site: ShopClient):
    _begin(site)
    code = _code()
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert site.post("/sign-up/code/", {"code": code}).status_code == 410
    with in_schema("public"):
        assert services.clear_sign_ups(now=timezone.now() + timedelta(hours=1)) == 0
        assert services.clear_sign_ups(now=timezone.now() + timedelta(days=2)) == 1


def test_is_nobody_elses(site: ShopClient):
    _begin(site)

    stranger = ShopClient(host=settings.BASE_DOMAIN)
    assert stranger.post("/sign-up/code/", {"code": _code()}).status_code == 410
    assert stranger.get("/sign-up/open/").headers["Location"] == "/sign-up/code/"


def test_offers_another_address_when_somebody_was_faster(site: ShopClient):
    _begin(site)
    code = _code()
    create_shop(schema="t_faster", host=f"anas.{settings.BASE_DOMAIN}")

    response = site.post("/sign-up/code/", {"code": code})
    assert response.status_code == 409
    assert b"Choose another address" in response.content
    assert site.post("/sign-up/other-address/", {"slug": "www"}).status_code == 422
    assert site.post("/sign-up/other-address/", {"slug": "Anas-2"}).headers["Location"] == "/sign-up/code/"
    assert site.post("/sign-up/code/", {"code": code}).headers["Location"] == "/sign-up/open/"
    assert Tenant.objects.get(slug="anas-2").name == "Ana's Bricks"


def test_goes_on_where_it_was_after_the_back_button(site: ShopClient):
    _begin(site)
    site.post("/sign-up/code/", {"code": _code()})

    assert site.get("/sign-up/code/").headers["Location"] == "/sign-up/open/"
    assert site.post("/sign-up/code/", {"code": "000000"}).headers["Location"] == "/sign-up/open/"
    assert site.get("/sign-up/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_makes_one_shop_of_a_form_that_is_sent_twice(site: ShopClient):
    _begin(site)
    code = re.findall(r"\d{6}", str(mail.outbox[-1].subject))[0]
    sign_up_id = SignUp.objects.get().pk
    failures: list[Exception] = []
    start = threading.Barrier(3)

    def confirm() -> None:
        try:
            start.wait()
            services.confirm_sign_up(sign_up_id=sign_up_id, code=code, now=timezone.now())
        except Exception as error:  # whatever it is fails the test below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    assert Tenant.objects.filter(slug="anas").count() == 1


def test_counts_tries_by_address_of_mail_and_of_the_net(site: ShopClient):
    for number in range(5):
        assert _begin(site, slug=f"anas-{number}").status_code == 302
    assert b"Too many tries" in _begin(site, slug="anas-9").content
    assert _begin(site, slug="anas-9", email="else@example.com").status_code == 302


def test_tells_while_one_types_whether_an_address_is_free(site: ShopClient):
    create_shop(schema="t_taken", host=f"taken.{settings.BASE_DOMAIN}")

    def ask(**query: str) -> Any:
        return site.get("/sign-up/address/", query).json()

    assert ask(slug=" Free-Bricks ") == {
        "slug": "free-bricks",
        "is_free": True,
        "message": "free-bricks.testserver.localhost is free.",
    }
    assert ask(slug="taken")["is_free"] is False
    assert ask(slug="admin")["message"] == "This address is kept for Brikonnect itself."
    assert ask(name="Ana's Bricks")["slug"] == "anas-bricks"
    assert ask(name="Taken")["slug"] == "taken-bricks"
    assert ask(name="レゴ")["slug"] == ""


def test_finds_the_door_of_ones_shop(site: ShopClient):
    for typed in ("shop", " SHOP ", "http://shop.testserver.localhost:8000/orders/", "shop.testserver.localhost"):
        response = site.get("/sign-in/", {"slug": typed})
        assert response.headers["Location"] == "http://shop.testserver.localhost/account/login/"
    for typed in (
        "nobody",
        "evil.example",
        "//evil.example",
        "www",
        "api",
        "https://evil.example/shop.testserver.localhost",
    ):
        assert site.get("/sign-in/", {"slug": typed}).status_code == 422


def test_refuses_what_no_page_of_ours_sends(site: ShopClient):
    assert ShopClient(host=settings.BASE_DOMAIN, enforce_csrf_checks=True).post("/sign-up/", FORM).status_code == 403
    assert site.get("/sign-up/code/resend/").status_code == 405
    with pytest.raises(SignUpOver):
        services.confirm_sign_up(sign_up_id=Tenant().id, code="000000", now=timezone.now())


def test_says_how_many_tries_are_left():
    with in_schema("public"):
        begun = services.begin_sign_up(
            name="Ana", slug="anas", email="ana@example.com", display_name="", password=FORM["password"],
            currency="EUR", time_zone="UTC", country="PT", now=timezone.now(),
        )  # fmt: skip
        with pytest.raises(WrongCode) as caught:
            services.confirm_sign_up(sign_up_id=begun.pk, code="x", now=timezone.now())
    assert caught.value.extra["tries_left"] == 4

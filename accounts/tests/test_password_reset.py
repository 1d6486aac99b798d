"""Forgotten passwords: a link that works once within an hour, and an answer that tells nobody who is here."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import User
from accounts.testing import make_user
from accounts.tests.conftest import another, is_signed_in, sign_in
from audit.models import ChangeSet
from common.testing.query_counts import counted
from events.models import Event

pytestmark = pytest.mark.django_db
NEW = "a rather new password"


def path_of(user: User) -> str:
    """Answer the path of a reset link for the user."""
    user.refresh_from_db()
    return urlsplit(services.password_reset_url(user)).path


def choose(client: Client, path: str, password: str = NEW) -> Any:
    """Open a reset link and post a new password, as a browser does."""
    response = client.get(path, follow=True)
    return client.post(response.request["PATH_INFO"], {"password1": password})


def test_mailed_link_lets_one_choose_a_new_password(
    client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/account/password/reset/", {"email": user.email.upper()})
    assert response["Location"] == "/account/password/reset/sent/"
    (mail,) = [mail for mail in mailoutbox if "password" in mail.subject.lower()]
    assert mail.to[0].endswith(f"{user.email}>") or mail.to == [user.email]
    link = re.search(r"http\S+/account/password/reset/\S+", mail.body)
    assert link is not None
    assert choose(client, urlsplit(link.group()).path)["Location"] == "/account/password/reset/done/"
    assert not is_signed_in(client)
    assert sign_in(client, user, NEW).status_code == 302


def test_link_works_once(client: Client) -> None:
    user = make_user()
    path = path_of(user)
    choose(client, path)
    again = another(client)
    response = again.get(path)
    assert "This link no longer works" in response.content.decode()
    choose(again, path, "another password entirely")
    assert sign_in(client, user, NEW).status_code == 302


def test_link_works_for_an_hour(client: Client) -> None:
    user = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        path = path_of(user)
        clock.shift(timedelta(minutes=59))
        assert client.get(path).status_code == 302
        clock.shift(timedelta(minutes=2))
        assert "This link no longer works" in another(client).get(path).content.decode()


def test_new_password_ends_everything_issued_before(client: Client) -> None:
    user, thief = make_user(), another(client)
    sign_in(thief, user)
    other_link = path_of(user)
    choose(client, path_of(user))
    assert not is_signed_in(thief)
    assert "This link no longer works" in another(client).get(other_link).content.decode()
    user.refresh_from_db()
    assert user.credentials_changed_at is not None


def test_reset_is_recorded_as_done_by_the_user(client: Client) -> None:
    user = make_user()
    choose(client, path_of(user))
    deed = ChangeSet.objects.filter(action="accounts.change_password").get()
    assert deed.actor_id == str(user.pk)


@pytest.mark.parametrize(
    "path",
    ["/account/password/reset/x/y/", "/account/password/reset/0/set-password/", "/account/password/reset/%00/y/"],
)
def test_garbage_link_says_so(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (200, 400, 404)
    if response.status_code == 200:
        assert "This link no longer works" in response.content.decode()


def test_unknown_address_gets_the_same_answer_for_the_same_work(
    client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user()
    asked = {}
    client.get("/account/password/reset/")
    for email in (user.email, "nobody@shop.example"):
        with counted() as statements:
            response = client.post("/account/password/reset/", {"email": email})
        asked[email] = [statement.split("'")[0] for statement in statements]
        assert response.status_code == 302
        assert response["Location"] == "/account/password/reset/sent/"
    assert asked[user.email] == asked["nobody@shop.example"]
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/password/reset/", {"email": "nobody@shop.example"})
    assert not any("nobody@" in address for mail in mailoutbox for address in mail.to)


def test_address_of_a_stranger_is_kept_nowhere(client: Client) -> None:
    client.post("/account/password/reset/", {"email": "nobody@shop.example"})
    event = Event.objects.get(event_type="user.password_reset_requested")
    assert event.payload["data"] == {"user_id": ""}


def test_more_than_five_links_an_hour_are_not_mailed_and_nobody_can_tell(client: Client) -> None:
    user = make_user()
    answers = {client.post("/account/password/reset/", {"email": user.email})["Location"] for _ in range(7)}
    assert answers == {"/account/password/reset/sent/"}
    events = Event.objects.filter(event_type="user.password_reset_requested")
    assert [event.payload["data"]["user_id"] != "" for event in events.order_by("sequence")] == [True] * 5 + [False] * 2


def test_one_address_may_not_ask_without_end(client: Client) -> None:
    statuses = [client.post("/account/password/reset/", {"email": f"u{n}@shop.example"}).status_code for n in range(21)]
    assert statuses == [302] * 20 + [429]


@pytest.mark.parametrize("password", ["short", "12345678", "password1", "owner"])
def test_short_and_common_passwords_are_refused(client: Client, password: str) -> None:
    user = make_user()
    response = choose(client, path_of(user), password)
    assert response.status_code == 422
    assert sign_in(client, user).status_code == 302


def test_password_like_ones_address_is_refused(client: Client) -> None:
    user = make_user(email="marta.silva@shop.example", name="Marta Silva")
    assert choose(client, path_of(user), "martasilva").status_code == 422


def test_changing_the_password_takes_the_present_one_and_ends_other_sessions(client: Client) -> None:
    user, elsewhere = make_user(), another(client)
    sign_in(client, user)
    sign_in(elsewhere, user)
    wrong = client.post("/account/password/change/", {"oldpassword": "not it", "password1": NEW})
    assert wrong.status_code == 422
    right = client.post("/account/password/change/", {"oldpassword": "correct horse battery", "password1": NEW})
    assert right["Location"] == "/settings/security/"
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert sign_in(elsewhere, user, NEW).status_code == 302


def test_present_password_is_tried_five_times(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    tries = [client.post("/account/password/change/", {"oldpassword": "not it", "password1": NEW}) for _ in range(6)]
    assert [response.status_code for response in tries] == [422] * 5 + [429]
    assert int(tries[-1]["Retry-After"]) > 0
    confirm = client.post("/account/confirm/?next=/", {"password": "not it"})
    assert confirm.status_code == 429


def test_changed_password_is_told_by_mail(
    client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user()
    sign_in(client, user)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/password/change/", {"oldpassword": "correct horse battery", "password1": NEW})
    assert any("password was changed" in mail.subject for mail in mailoutbox)

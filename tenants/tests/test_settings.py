"""What a shop says about itself: changed by page and API, kept from lost updates, undone."""

from typing import Any

import pytest
from django.db import connection

from accounts.services import issue_tokens
from audit import context
from audit import services as audit
from audit.models import ChangeSet
from common import workspace
from common.errors import Invalid, StaleVersion
from common.testing.people import PASSWORD, make_user
from tenants import queries, services
from tenants.forms import GeneralForm
from tenants.models import Tenant
from tenants.tests.people import sign_in

pytestmark = pytest.mark.django_db

FORM = {
    "version": "1",
    "name": "Ana's Bricks",
    "currency": "EUR",
    "timezone": "Europe/Lisbon",
    "country": "PT",
    "street": "Rua das Flores 1",
    "street_2": "",
    "postal_code": "4050-262",
    "city": "Porto",
    "region": "",
}


def test_shows_and_changes_it_on_the_page(client: Any):
    sign_in(client)

    assert b"Test shop" in client.get("/settings/general/").content
    response = client.post("/settings/general/save/", FORM)

    assert response.headers["Location"] == "/settings/general/"
    found = queries.shop_settings()
    assert (found.name, found.timezone, found.settings.address.city, found.version) == (
        "Ana's Bricks", "Europe/Lisbon", "Porto", 2,
    )  # fmt: skip
    assert b"Rua das Flores 1" in client.get("/settings/general/").content


def test_is_text_to_whoever_may_only_read(client: Any):
    client.force_login(make_user(role="staff"))

    page = client.get("/settings/general/").content.decode()

    assert "<dd>Test shop</dd>" in page
    assert "<dd>Euro</dd>" in page
    assert 'name="street"' not in page
    assert "disabled" not in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"currency": "CHF"}, {"timezone": "Mars/Olympus"}, {"country": "XX"}, {"city": "x" * 121}],
)
def test_keeps_what_was_typed_when_something_is_wrong(client: Any, changes: dict[str, str]):
    sign_in(client)

    response = client.post("/settings/general/save/", {**FORM, **changes})

    assert response.status_code == 422
    assert b"4050-262" in response.content
    assert queries.shop_settings().version == 1


def _seen() -> dict[str, str]:
    """Answer what a form that is open has hidden in it: the version, and what stood in it."""
    values = GeneralForm.values_of(queries.shop_settings())
    return {"version": str(values["version"]), "seen": values["seen"]}


def test_asks_where_both_changed_it_and_takes_the_rest_from_who_did(client: Any):
    sign_in(client)
    opened = _seen()
    services.update_settings(name="Marta's Bricks", currency="USD")
    typed = {**FORM, "currency": "EUR"}

    response = client.post("/settings/general/save/", {**typed, **opened})

    assert response.status_code == 409
    words = response.content.decode()
    assert "Somebody else changed the settings meanwhile" in words
    assert 'name="keep_name"' in words
    assert "Marta&#x27;s Bricks" in words
    assert "Ana&#x27;s Bricks" in words
    assert 'name="keep_currency"' not in words, "only the other one changed it"
    assert '<option value="USD" selected>' in words


@pytest.mark.parametrize(("choice", "name"), [("theirs", "Marta's Bricks"), ("yours", "Ana's Bricks")])
def test_saves_what_was_chosen(client: Any, choice: str, name: str):
    sign_in(client)
    services.update_settings(name="Marta's Bricks")

    response = client.post("/settings/general/save/", {**FORM, **_seen(), "keep_name": choice})

    assert response.status_code == 302
    assert queries.shop_settings().name == name


@pytest.mark.parametrize("seen", ["", "no JSON", "[]", '{"version": 7}'])
def test_asks_about_everything_that_differs_where_the_form_does_not_say_what_it_was(client: Any, seen: str):
    sign_in(client)
    services.update_settings(name="Marta's Bricks")

    response = client.post("/settings/general/save/", {**FORM, "seen": seen})

    assert response.status_code == 409
    assert queries.shop_settings().name == "Marta's Bricks"


@pytest.mark.parametrize(("role", "reads", "writes"), [("admin", 200, 302), ("staff", 200, 403), ("picker", 403, 403)])
def test_is_for_those_who_may(client: Any, role: str, reads: int, writes: int):
    sign_in(client, role=role)

    assert client.get("/settings/general/").status_code == reads
    assert client.post("/settings/general/save/", FORM).status_code == writes


def test_offers_no_button_to_who_may_only_look(client: Any):
    sign_in(client, role="staff")

    assert b"Save changes" not in client.get("/settings/general/").content


def test_can_be_undone(client: Any):
    sign_in(client)
    client.post("/settings/general/save/", FORM)
    deed = ChangeSet.objects.filter(action="tenants.update_settings").get()

    response = client.post(f"/audit/{deed.pk}/undo/")

    assert response.status_code == 302
    found = queries.shop_settings()
    assert (found.name, found.timezone, found.settings.address.city, found.version) == ("Test shop", "UTC", "", 3)


def test_leaves_its_trail_in_the_shop_alone():
    with context.change_set("tenants.update_settings"):
        services.update_settings(name="Ana's Bricks")

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM t_shop.trail_historicaltenant ORDER BY history_id DESC LIMIT 1")
        assert cursor.fetchone() == ("Ana's Bricks",)
        cursor.execute("SELECT count(*) FROM public.trail_historicaltenant")
        assert cursor.fetchone() == (0,)


def test_changes_nothing_when_nothing_changes():
    assert not queries.details_confirmed()
    services.update_settings(expected_version=1, name="Test shop", currency="EUR", address={"city": ""})
    assert queries.details_confirmed()

    services.update_settings(expected_version=2, name="Test shop", currency="EUR", address={"city": ""})

    assert queries.shop_settings().version == 2


def test_refuses_a_lost_update_and_unknown_settings():
    services.update_settings(expected_version=1, name="Ana's Bricks")
    with pytest.raises(StaleVersion) as caught:
        services.update_settings(expected_version=1, name="Marta's Bricks")
    assert caught.value.extra["current_version"] == 2
    with pytest.raises(Invalid):
        services.update_settings(settings={"colour": "blue"})
    with pytest.raises(Invalid):
        services.update_settings(address={"city": "Por\nto"})


@pytest.mark.django_db(transaction=True)
def test_shows_in_the_shell_at_once(client: Any):
    sign_in(client)
    client.post("/settings/general/save/", FORM)

    assert b"Ana&#x27;s Bricks" in client.get("/").content
    assert workspace.current().name == "Ana's Bricks"


# --- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture
def bearer() -> dict[str, str]:
    user = make_user(role="owner")
    pair = issue_tokens(email=user.email, password=PASSWORD, now=user.created_at)
    return {"HTTP_AUTHORIZATION": f"Bearer {pair.access_token}"}


def test_answers_programs(client: Any, bearer: dict[str, str]):
    response = client.get("/api/v1/settings", **bearer)

    assert response.status_code == 200
    assert response.headers["ETag"] == '"v1"'
    body = response.json()
    assert (body["slug"], body["host"], body["currency"], body["version"]) == (
        "shop",
        "shop.testserver.localhost",
        "EUR",
        1,
    )
    assert body["address"] == {"street": "", "street_2": "", "postal_code": "", "city": "", "region": ""}
    assert not {"stripe_customer_id", "paypal_payer_id", "schema_name"} & set(body)


def test_takes_changes_of_programs_that_say_what_they_saw(client: Any, bearer: dict[str, str]):
    def patch(body: Any, **headers: str) -> Any:
        return client.patch("/api/v1/settings", body, content_type="application/json", **bearer, **headers)

    assert patch({"name": "Ana's Bricks"}).status_code == 428
    assert patch({"name": "Ana's Bricks"}, HTTP_IF_MATCH='"v9"').status_code == 412
    assert patch({"name": "Ana's Bricks", "version": 9}).status_code == 409
    assert patch({"nome": "Ana's Bricks", "version": 1}).json()["errors"] == {"/nome": ["There is no such field."]}
    assert patch({"timezone": "Mars/Olympus", "version": 1}).status_code == 422
    assert patch({"address": {"city": "\u0001"}, "version": 1}).status_code == 422
    changed = patch({"name": "Ana's Bricks", "address": {"city": "Porto"}}, HTTP_IF_MATCH='"v1"')
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["address"]["city"], changed.headers["ETag"]) == (
        "Ana's Bricks", "Porto", '"v2"',
    )  # fmt: skip


def test_reverts_as_anything_else():
    with context.change_set("tenants.update_settings"):
        services.update_settings(currency="USD", country="US")
        deed = context.current_change_set_id()

    assert deed
    audit.revert(change_set_id=deed)

    tenant = Tenant.objects.get(slug="shop")
    assert (tenant.currency, str(tenant.country)) == ("EUR", "NL")


def test_keeps_how_stock_is_kept(client: Any):
    sign_in(client)
    saved = {"version": "1", "remarks_pattern": "{location} | {text}", "stale_after_days": "200"}
    assert client.post("/settings/inventory/save/", saved).status_code == 302
    shop = workspace.current()
    assert (shop.remarks_pattern, shop.stale_after_days) == ("{location} | {text}", 200)
    assert not queries.details_confirmed()
    # A box that isn't ticked isn't sent.
    assert not shop.identifies_photos
    client.post("/settings/inventory/save/", {**saved, "version": "2", "identifies_photos": "on"})
    assert workspace.current().identifies_photos
    saved["version"] = "2"

    wrong = client.post("/settings/inventory/save/", {**saved, "version": "3", "remarks_pattern": "{place}"})
    assert wrong.status_code == 422
    assert b"{location} in it once" in wrong.content
    stale = client.post("/settings/inventory/save/", {**saved, "stale_after_days": "9"})
    assert stale.status_code == 409
    assert b'value="3"' in stale.content


def test_takes_the_pattern_of_programs(client: Any, bearer: dict[str, str]):
    changes = {"version": 1, "remarks_pattern": "Loc: {location}"}
    answer = client.patch("/api/v1/settings", changes, content_type="application/json", **bearer)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["remarks_pattern"], answer.json()["stale_after_days"]) == ("Loc: {location}", 365)
    off = client.patch(
        "/api/v1/settings", {"version": 2, "identifies_photos": False}, content_type="application/json", **bearer
    )
    assert (off.json()["identifies_photos"], workspace.current().identifies_photos) == (False, False)
    refused = client.patch(
        "/api/v1/settings", {"version": 3, "remarks_pattern": "{"}, content_type="application/json", **bearer
    )
    assert refused.status_code == 422
    assert "/remarks_pattern" in refused.json()["errors"]

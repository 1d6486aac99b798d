"""Each store shows what its rules say, says why it doesn't show the rest, and is closed and opened as a whole."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import CurrencyRate
from common.errors import Invalid
from common.testing.people import PASSWORD, make_user
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from inventory.testing import make_lot
from orders.testing import make_store
from stores import queries as stores_queries
from stores import services as stores
from stores.models import Store
from sync.choices import RunStatus
from sync.models import ListingState, SyncRun
from sync.queries import pending
from sync.queries.figures import figures_of
from sync.queries.listed import why
from sync.queries.wanted import wanted_of_lots
from sync.services import push_store
from sync.tests.sellers import Seller, check_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    yield Seller(sandbox, code)
    check_books()


def push(seller: Seller) -> None:
    assert push_store(store_id=seller.store.pk, now=timezone.now()).problem == ""


def rule(store: Store, **settings: Any) -> Store:
    return stores.update_store(store_id=store.pk, changes={"settings": settings})


def lot_there(seller: Seller, number: str) -> dict[str, Any]:
    rows = seller.sandbox.control("GET", f"sellers/{seller.id}/lots")
    return next(row for row in rows if str(row["id"]) == number)


def shown(store: Store, lot: InventoryItem) -> Any:
    return wanted_of_lots(store, [lot])[lot.pk]


def test_prices_used_lots_otherwise() -> None:
    store = rule(make_store(), price_rule={
        "change": "PERCENT", "value": "10", "used_change": "PERCENT", "used_value": "-50",
    })  # fmt: skip
    new, used = make_lot(unit_price=Decimal("1")), make_lot(unit_price=Decimal("1"), condition="USED")
    assert (shown(store, new).state.price, shown(store, used).state.price) == (Decimal("1.1000"), Decimal("0.5000"))


def test_lists_only_the_lots_that_are_chosen() -> None:
    store = make_store()
    red, blue = make_lot(color_id=5), make_lot(color_id=7)
    rule(store, listed_query="http://demo.localhost:8430/inventory/?color=5&sort=-price")
    store.refresh_from_db()
    assert store.settings["listed_query"] == "color=5"
    assert (shown(store, red).why, shown(store, blue).why) == (None, "not_chosen")
    assert shown(store, blue).state.qty == 0
    for wrong in ("colour=5", "sort=-price", "x" * 2000):
        with pytest.raises(Invalid):
            rule(store, listed_query=wrong)


def listed(store: Store, **lot: Any) -> InventoryItem:
    """Answer a lot that is for sale in a store."""
    made = make_lot(qty=5, **lot)
    number = str(InventoryExternalId.objects.count())
    InventoryExternalId.objects.create(
        inventory_item=made, store=store, external_lot_id=number, base={"qty": 5, "price": "0.10"}
    )
    return made


def test_another_choice_of_lots_that_clears_a_store_wants_the_number(client: Any) -> None:
    store = make_store()
    for color in (5, 7, 7):
        listed(store, color_id=color)
    with pytest.raises(Invalid) as refused:
        rule(store, listed_query="color=5")
    (words,) = refused.value.errors["/confirmed_removals"]
    assert "takes 2 of the 3 lots" in words
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    # The page asks for it, and so does the API.
    form = {
        "name": store.name, "version": store.version, "sync_interval_hours": 24, "price_change": "SAME",
        "price_rounding": "NONE", "listed_query": "color=5", "confirmed_removals": "",
    }  # fmt: skip
    page = client.get(f"/stores/{store.pk}/settings/").content.decode()
    assert 'type="hidden" name="confirmed_removals"' in page
    asked = client.post(f"/stores/{store.pk}/settings/", form)
    assert asked.status_code == 422
    assert "takes 2 of the 3 lots" in asked.content.decode()
    assert 'type="number" name="confirmed_removals"' in asked.content.decode()
    path, body = f"/api/v1/stores/{store.pk}", {"settings": {"listed_query": "color=5"}, "version": store.version}
    asked = client.patch(path, {**body, "confirmed_removals": 3}, content_type="application/json")
    assert (asked.status_code, list(asked.json()["errors"])) == (422, ["/confirmed_removals"])
    store.refresh_from_db()
    assert store.settings.get("listed_query", "") == ""
    done = client.patch(path, {**body, "confirmed_removals": 2}, content_type="application/json")
    assert done.status_code == 200, done.content
    # Of what is taken off already nothing is asked again, nor where all lots are listed.
    rule(store, listed_query="")
    store.refresh_from_db()
    answer = client.post(f"/stores/{store.pk}/settings/", {**form, "version": store.version, "confirmed_removals": "2"})
    assert answer.status_code == 302, answer.content.decode()[-2000:]


def test_another_choice_of_lots_that_takes_few_off_is_not_asked_about() -> None:
    store = make_store()
    for color in (5,) * 10 + (7,):
        listed(store, color_id=color)
    rule(store, listed_query="color=5")
    store.refresh_from_db()
    assert store.settings["listed_query"] == "color=5"
    # Back, and forth once more: what comes in isn't asked about, and what a revert brings back isn't either.
    rule(store, listed_query="color=5&color=7")
    with pytest.raises(Invalid):
        rule(store, listed_query="color=7")
    stores.update_store(store_id=store.pk, changes={"settings": {"listed_query": "color=7"}}, is_restored=True)


def test_leaves_the_last_piece_to_the_primary_store() -> None:
    primary, other = make_store(), make_store("brickowl", "Owl")
    stores.update_store(store_id=primary.pk, changes={"is_primary": True})
    rule(other, quantity_rule={"last_piece": False})
    primary.refresh_from_db()
    other.refresh_from_db()
    lot, alone = make_lot(qty=1), make_lot(qty=1)
    InventoryExternalId.objects.create(inventory_item=lot, store=primary, external_lot_id="1")
    assert [shown(store, lot).why for store in (primary, other)] == [None, "last_piece"]
    assert shown(other, alone).why is None
    inventory.adjust_stock(lot_id=lot.pk, qty_available=2, now=timezone.now())
    lot.refresh_from_db()
    assert shown(other, lot).why is None


def test_keeps_prices_as_they_are_where_nobody_knows_the_rate() -> None:
    store = rule(make_store(), currency="USD")
    lot = make_lot(unit_price=Decimal("1"))
    assert shown(store, lot).why == "no_rate"
    today = timezone.now()
    CurrencyRate.objects.create(
        from_currency="EUR", to_currency="USD", day=today.date(), rate=Decimal("1.25"), fetched_at=today
    )
    assert shown(store, lot).state.price == Decimal("1.2500")


def test_refuses_owners_that_there_are_not() -> None:
    store = rule(make_store(), owners={"price": "channel"})
    assert stores_queries.get_view(store.pk, now=timezone.now()).settings["owners"] == {"price": "channel"}
    for wrong in ({"qty": "ours"}, {"price": "nobody"}, "ours"):
        with pytest.raises(Invalid):
            rule(store, owners=wrong)


@pytest.mark.parametrize("code", ["bricklink", "brikick", "brickowl"])
def test_closes_for_a_vacation_and_opens_as_it_was(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    _kept, kept = seller.listed(qty=4, no="3003")
    rule(seller.store, fields=["price", "description"])
    if code != "brickowl":
        # Put into a stockroom there by its seller, who keeps that from being sent.
        row = InventoryExternalId.objects.get(external_lot_id=kept)
        seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{kept}", {"stockroom": "B"})
        row.base = {**row.base, "stockroom": "B"}
        row.save()
    push(seller)
    before = {key: lot_there(seller, key) for key in (number, kept)}
    assert stores.set_away(is_away=True) == 1
    push(seller)
    away = lot_there(seller, number)
    if code == "brickowl":
        assert away["quantity"] == 0
    else:
        assert (away["quantity"], away["stockroom"], lot_there(seller, kept)["stockroom"]) == (10, "A", "B")
    inventory.adjust_stock(lot_id=lot.pk, qty_available=8, now=timezone.now())
    push(seller)
    assert stores.set_away(is_away=True) == 0
    assert stores.set_away(is_away=False) == 1
    push(seller)
    counted = {"version", "updated_at"}
    after, untouched = lot_there(seller, number), lot_there(seller, kept)
    assert after["quantity"] == 8
    assert {name for name in untouched if untouched[name] != before[kept][name]} <= counted
    assert {name for name in after if after[name] != before[number][name]} <= {"quantity", *counted}
    assert not pending.is_behind(Store.objects.get(pk=seller.store.pk), now=timezone.now())
    assert not ListingState.objects.filter(is_put_away=True).exists()


@pytest.mark.parametrize("code", ["bricklink", "brikick"])
def test_lists_new_lots_once_a_run_has_brought_the_store_into_step(code: str, seller: Seller) -> None:
    seller.listed(qty=10)
    new, none, odd = make_lot(qty=6, item_no="3005"), make_lot(qty=0), make_lot(item_type="CUSTOM", color_id=None)
    rule(seller.store, list_new_lots=True)
    push(seller)
    assert not InventoryExternalId.objects.filter(inventory_item=new).exists()
    SyncRun.objects.create(
        number=1, source_store=stores_queries.local_store(), target_store=seller.store, status=RunStatus.COMPLETED,
        idempotency_key="one",
    )  # fmt: skip
    push(seller)
    listing = InventoryExternalId.objects.get(inventory_item=new)
    assert seller.there()[str(listing.external_lot_id)] == 6
    assert not InventoryExternalId.objects.filter(inventory_item__in=[none, odd]).exists()
    asked = len(seller.sandbox.asked())
    push(seller)
    assert len(seller.sandbox.asked()) == asked
    later = make_lot(qty=3, item_no="3006")
    push(seller)
    assert InventoryExternalId.objects.get(inventory_item=later).external_lot_id


@pytest.mark.parametrize("code", ["bricklink"])
def test_says_how_a_lot_stands_and_why_it_is_not_there(code: str, seller: Seller, client: Any) -> None:
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    lot, number = seller.listed(qty=10)
    push(seller)
    assert [(row.number, row.is_there, row.why, row.is_waiting) for row in why(lot)] == [(number, True, "", False)]
    other = make_lot()
    assert "Nobody has listed it" in why(other)[0].why
    page = client.get(f"/inventory/lots/{lot.pk}/listings/").content.decode()
    assert f"lot {number}" in page
    assert "Nobody has listed it" in client.get(f"/inventory/lots/{other.pk}/listings/").content.decode()
    inventory.adjust_stock(lot_id=lot.pk, qty_available=0, now=timezone.now())
    lot.refresh_from_db()
    (row,) = why(lot)
    assert (row.why, row.is_waiting) == ("No pieces are available", True)
    ListingState.objects.update(error="Too dear.", retry_at=timezone.now())
    figures = figures_of(Store.objects.get(pk=seller.store.pk), now=timezone.now())
    assert (figures.listed, figures.waiting, figures.refused_count, figures.not_listed) == (1, 1, 1, 1)
    page = client.get(f"/stores/{seller.store.pk}/stock/").content.decode()
    assert "Too dear." in page
    assert "isn’t listed here" in page


def test_closes_stores_by_a_button_and_can_be_undone(client: Any) -> None:
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    store = make_store()
    assert "Close the stores" in client.get("/stores/vacation/").content.decode()
    assert client.post("/stores/vacation/", {"to": "away"}).status_code == 302
    store.refresh_from_db()
    assert store.settings["is_away"] is True
    assert "You are on vacation" in client.get("/stores/").content.decode()
    client.post("/stores/vacation/", {"to": "back"})
    store.refresh_from_db()
    assert store.settings["is_away"] is False


def test_takes_the_rules_from_the_form(client: Any) -> None:
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    store = make_store()
    form = {
        "name": store.name, "version": store.version, "sync_interval_hours": 24, "price_change": "SAME",
        "price_used_change": "PERCENT", "price_used_value": "-20", "price_rounding": "NONE", "keep_back": 1,
        "listed_query": "type=PART", "owner_price": "ask", "fields_synced": ["price"],
    }  # fmt: skip
    answer = client.post(f"/stores/{store.pk}/settings/", form)
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    store.refresh_from_db()
    settings = store.settings
    assert settings["price_rule"]["used_change"] == "PERCENT"
    assert (settings["quantity_rule"]["last_piece"], settings["quantity_rule"]["keep_back"]) == (False, 1)
    assert (settings["listed_query"], settings["owners"], settings["list_new_lots"]) == (
        "type=PART", {"price": "ask"}, False,
    )  # fmt: skip
    page = client.get(f"/stores/{store.pk}/settings/").content.decode()
    assert 'value="type=PART"' in page
    wrong = client.post(
        f"/stores/{store.pk}/settings/", {**form, "version": store.version, "listed_query": "nonsense=1"}
    )
    assert wrong.status_code == 422
    assert "Nobody knows which lots these are" in wrong.content.decode()


def test_says_which_stores_do_not_close_by_themselves(client: Any) -> None:
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    store = make_store()
    stores.update_store(store_id=store.pk, changes={"settings": {"auto_sync": False}})
    assert "stays open until you press Sync now on its page" in client.get("/stores/vacation/").content.decode()
    client.post("/stores/vacation/", {"to": "away"})
    page = client.get(f"/stores/{store.pk}/").content.decode()
    assert "Nothing is for sale here" not in page
    assert "Press Sync now" in page
    stores.update_store(store_id=store.pk, changes={"is_enabled": False})
    assert "is switched off and stays as it is" in client.get("/stores/vacation/").content.decode()

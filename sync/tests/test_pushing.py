"""What stores show follows our stock over real HTTP: once, the most urgent first, in as few calls as there can be."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from events.models import Event
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from inventory.testing import make_lot
from stores import services as stores
from stores.channels import LotField
from stores.choices import StoreState
from stores.models import Store, StoreSyncState
from sync.models import ListingState
from sync.queries import asking, pending
from sync.remote import Act, LotState, Verdict
from sync.services import Settled, Want, bases, connect, push_store, pushing, send, turn
from sync.services.pulling import pull_orders
from sync.services.turns import Busy
from sync.states import as_json
from sync.tests.sellers import CODES, Seller, check_books, order_numbered, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    yield made
    check_books()
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


def push(seller: Seller, **more: Any) -> pushing.Pushed:
    return push_store(store_id=seller.store.pk, now=timezone.now(), **more)


def set_qty(lot: InventoryItem, qty: int) -> None:
    inventory.adjust_stock(lot_id=lot.pk, qty_available=qty, now=timezone.now())


def change(lot: InventoryItem, **changes: Any) -> None:
    inventory.update_lot(lot_id=lot.pk, changes=changes, now=timezone.now())


def state_of(number: str) -> ListingState:
    return ListingState.objects.get(listing__external_lot_id=number)


def changes_asked(seller: Seller) -> list[dict[str, Any]]:
    """Answer the requests so far that change something there."""
    return [row for row in seller.sandbox.asked() if row["method"] != "GET"]


@pytest.mark.parametrize("code", CODES)
def test_sends_only_what_differs_and_several_changes_as_one(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    _other, untouched = seller.listed(qty=5, no="3003")
    push(seller)
    before = len(changes_asked(seller))
    set_qty(lot, 7)
    set_qty(lot, 4)
    change(lot, unit_price=Decimal("0.13"))
    result = push(seller)
    assert (result.done, result.refused, result.problem) == (1, 0, "")
    assert len(changes_asked(seller)) - before == 1
    assert (seller.there()[number], seller.there()[untouched]) == (4, 5)
    assert seller.base(number) == 4
    there = connect(seller.store.pk, call_class="urgent").fetch_lot(number)  # type: ignore[arg-type]
    assert there is not None
    assert there.state.price == Decimal("0.13")
    assert push(seller).done == 0
    assert len(changes_asked(seller)) - before == 1
    assert not pending.is_behind(seller.store, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
def test_sends_nothing_where_changes_cancel_out(code: str, seller: Seller) -> None:
    lot, _number = seller.listed(qty=10)
    push(seller)
    before = len(changes_asked(seller))
    set_qty(lot, 7)
    set_qty(lot, 10)
    assert pending.is_behind(seller.store, now=timezone.now())
    push(seller)
    assert len(changes_asked(seller)) == before
    assert not pending.is_behind(seller.store, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
def test_takes_a_lot_off_and_lists_it_anew(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    set_qty(lot, 0)
    push(seller)
    assert seller.there().get(number, 0) == 0
    set_qty(lot, 6)
    push(seller)
    listing = InventoryExternalId.objects.get(inventory_item=lot)
    assert {qty for qty in seller.there().values() if qty == 6} == {6}
    assert seller.there()[str(listing.external_lot_id)] == 6
    assert [qty for key, qty in seller.there().items() if key == listing.external_lot_id] == [6]


@pytest.mark.parametrize("code", CODES)
def test_offers_nothing_of_a_lot_that_is_gone(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    inventory.delete_lots(lot_ids=[lot.pk], now=timezone.now())
    push(seller)
    assert seller.there().get(number, 0) == 0
    assert not pending.is_behind(seller.store, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
def test_offers_a_lot_once_where_it_has_two_listings(code: str, seller: Seller) -> None:
    lot, first = seller.listed(qty=10)
    second = seller.put(quantity=10, remarks="again")
    seller.list(lot, second)
    push(seller)
    assert (seller.there()[first], seller.there().get(second, 0)) == (10, 0)


@pytest.mark.parametrize("code", ["bricklink"])
def test_sends_what_is_sold_out_first(code: str, seller: Seller) -> None:
    rows = [seller.listed(qty=10, no=no) for no in ("3001", "3003", "3004", "3005")]
    push(seller)
    before = len(changes_asked(seller))
    change(rows[0][0], remarks="B-02")
    change(rows[1][0], unit_price=Decimal("0.99"))
    set_qty(rows[2][0], 12)
    set_qty(rows[3][0], 0)
    push(seller)
    paths = [row["path"] for row in changes_asked(seller)[before:]]
    assert [path.rpartition("/")[2] for path in paths] == [rows[3][1], rows[2][1], rows[1][1], rows[0][1]]


@pytest.mark.parametrize("code", CODES)
def test_moves_the_base_by_the_difference_when_it_sells_meanwhile(code: str, seller: Seller) -> None:
    """The pieces that a buyer took between our look and our change are not put back by it."""
    lot, number = seller.listed(qty=10)
    push(seller)
    order = seller.order((number, 3))
    set_qty(lot, 8)
    push(seller)
    assert seller.there()[number] == 5
    pulling_now(seller)
    assert qty_of(lot.pk) == (5, 3)
    push(seller)
    assert seller.there()[number] == 5
    assert seller.base(number) == 5
    assert order


def pulling_now(seller: Seller) -> None:
    pull_orders(store_id=seller.store.pk, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "half_json", "html"])
def test_finds_out_what_became_of_what_was_not_answered(code: str, kind: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    set_qty(lot, 4)
    more = {"status": 200} if kind == "html" else {}
    seller.sandbox.fault(kind, method="PUT" if code == "bricklink" else "POST", times=1, **more)
    push(seller)
    push(seller)
    assert seller.there()[number] == 4
    assert seller.base(number) == 4
    assert qty_of(lot.pk) == (4, 0)
    assert not pending.is_behind(seller.store, now=timezone.now())


@pytest.mark.parametrize("code", CODES)
def test_knows_a_sale_from_an_effect_where_the_answer_was_lost(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    set_qty(lot, 7)
    seller.sandbox.fault("reset_after", method="PUT" if code == "bricklink" else "POST", times=1)
    store = seller.store
    channel = connect(store.pk, call_class="usual")  # type: ignore[arg-type]
    row = InventoryExternalId.objects.get(external_lot_id=number)
    version = InventoryItem.objects.get(pk=lot.pk).version
    base = LotState(qty=7, price=Decimal("0.12"))
    want = Want(
        key="a", act=Act.UPDATE, lot_id=lot.pk, listing_id=row.pk, after=base, fields=frozenset({LotField.QTY}),
        lot_version=version,
    )  # fmt: skip
    seen: list[Settled] = []
    send(store_id=store.pk, channel=channel, wants=[want], now=timezone.now(), note=seen.extend)
    lost = seen[0].verdict
    seller.order((number, 2))
    push(seller)
    pulling_now(seller)
    assert seller.there()[number] == 5
    assert qty_of(lot.pk) == (5, 2)
    assert seller.base(number) == 5
    assert lost is (Verdict.DONE if code == "brikick" else Verdict.UNKNOWN)
    assert not StockMovement.objects.filter(kind="CHANNEL_EDIT").exists()


@pytest.mark.parametrize("code", CODES)
def test_takes_the_smaller_stock_where_somebody_edited_there(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 6})
    ListingState.objects.filter(listing__external_lot_id=number).update(must_read=True)
    push(seller)
    assert qty_of(lot.pk) == (6, 0)
    assert seller.there()[number] == seller.base(number) == 6
    edit = StockMovement.objects.get(kind="CHANNEL_EDIT")
    assert (edit.delta_available, edit.cause_id) == (-4, str(seller.store.pk))


@pytest.mark.parametrize("code", ["bricklink", "brickowl"])
def test_looks_at_a_lot_that_has_fewer_than_are_to_be_taken(code: str, seller: Seller) -> None:
    """A difference can't be carried out: that is no fault of what was sent, and no reason to wait with the rest."""
    lot, number = seller.listed(qty=10)
    other, beside = seller.listed(qty=5, no="3003")
    push(seller)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 2})
    set_qty(lot, 6)
    set_qty(other, 4)
    result = push(seller)
    assert (result.refused, result.problem) == (0, "")
    # Eight were taken away there and four here: nothing is left.
    assert (qty_of(lot.pk), qty_of(other.pk)) == ((0, 0), (4, 0))
    assert (seller.there().get(number, 0), seller.there()[beside]) == (0, 4)
    assert list(ListingState.objects.values_list("error", flat=True)) == ["", ""]
    assert StockMovement.objects.get(kind="CHANNEL_EDIT").delta_available == -6


@pytest.mark.parametrize("code", CODES)
def test_leaves_alone_what_its_seller_deleted_there(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{number}")
    set_qty(lot, 8)
    push(seller)
    listing = InventoryExternalId.objects.select_related("state").get(inventory_item=lot)
    assert listing.external_lot_id is None
    assert "deleted there" in listing.state.error
    before = len(seller.there())
    set_qty(lot, 5)
    push(seller)
    assert len(seller.there()) == before
    assert qty_of(lot.pk) == (5, 0)


@pytest.mark.parametrize("code", ["bricklink", "brikick"])
def test_waits_after_a_refusal_and_tries_again_when_something_changes(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    # Brikick refuses prices far above the usual.
    change(lot, unit_price=Decimal("90" if code == "brikick" else "0.13"))
    if code == "bricklink":
        seller.sandbox.fault(
            "status", method="PUT", times=1, status=200, meta_code=400, message="PARAMETER_MISSING_OR_INVALID",
            description="description is odd",
        )  # fmt: skip
    result = push(seller)
    assert result.refused == 1
    state = state_of(number)
    assert state.error
    assert state.retry_at is not None
    before = len(changes_asked(seller))
    push(seller)
    assert len(changes_asked(seller)) == before
    change(lot, unit_price=Decimal("0.11"))
    push(seller)
    assert len(changes_asked(seller)) == before + 1
    assert state_of(number).error == ""


@pytest.mark.parametrize("code", CODES)
def test_stops_where_the_credentials_are_refused(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    set_qty(lot, 3)
    seller.sandbox.fault("token_revoked", times=1)
    assert push(seller).problem
    state = StoreSyncState.objects.get(store=seller.store)
    assert state.state == StoreState.NEEDS_RECONNECT
    before = len(seller.sandbox.asked())
    assert push(seller).done == 0
    assert len(seller.sandbox.asked()) == before
    assert seller.there()[number] == 10
    assert state_of(number).sent is None


@pytest.mark.parametrize("code", ["bricklink"])
def test_goes_by_itself_only_where_that_is_wanted(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    stores.update_store(store_id=seller.store.pk, changes={"settings": {"auto_sync": False}})
    set_qty(lot, 3)
    assert push(seller).done == 0
    assert not pushing.has_more(seller.store.pk, now=timezone.now())
    assert push(seller, by_hand=True).done == 1
    assert seller.there()[number] == 3


@pytest.mark.parametrize("code", ["bricklink"])
def test_is_done_by_one_at_a_time(code: str, seller: Seller) -> None:
    seller.listed(qty=10)
    with turn(seller.store.pk), pytest.raises(Busy):
        push(seller)
    push(seller)


@pytest.mark.parametrize("code", ["bricklink"])
def test_lets_others_have_the_worker_and_goes_on_after_them(
    code: str, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = [seller.listed(qty=5, no=number)[0] for number in ("3001", "3003", "3004")]
    push(seller)
    for lot in lots:
        set_qty(lot, 4)
    monkeypatch.setattr(pushing, "LONGEST", timedelta())
    monkeypatch.setattr(pushing, "_MOST_REQUESTS", 2)
    first, second, third = push(seller), push(seller), push(seller)
    assert [(each.done, each.left) for each in (first, second)] == [(2, True), (1, True)]
    assert (third.done, third.left) == (0, False)
    assert sorted(qty for qty in seller.there().values()) == [4, 4, 4]


@pytest.mark.parametrize("code", ["bricklink"])
def test_keeps_a_reserve_of_calls_for_orders(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    today = timezone.now().date().isoformat()
    StoreSyncState.objects.filter(store=seller.store).update(
        rate_limit_state={"day": today, "used": 4500, "limit": 5000}
    )
    client().flushdb()
    set_qty(lot, 3)
    assert "used up" in push(seller).problem
    assert StoreSyncState.objects.get(store=seller.store).state == StoreState.LIMITED
    assert seller.there()[number] == 10
    pulling_now(seller)


@pytest.mark.parametrize(("code", "calls"), [("bricklink", 41), ("brickowl", 3), ("brikick", 1)])
def test_makes_no_call_too_many(code: str, calls: int, seller: Seller) -> None:
    """P15: as many as the channel's batches need: BrickLink one a change, Brick Owl fifty, Brikick five hundred."""
    count = 41 if code == "bricklink" else 120
    lots = []
    made = seller.sandbox.control("POST", f"sellers/{seller.id}/lots", {"lots": [
        {"type": "PART", "no": "3001", "color_id": 5, "quantity": 10, "price": 1200, "remarks": f"R{n}",
         **({"grade": "new"} if code == "brickowl" else {})}
        for n in range(count)
    ]})["ids"]  # fmt: skip
    channel = connect(seller.store.pk, call_class="urgent")  # type: ignore[arg-type]
    found = {lot.lot_id: lot for page in channel.fetch_inventory() for lot in page}
    for number in made:
        remote = found[str(number)]
        lot = make_lot(qty=10, remarks=remote.state.remarks or "")
        InventoryExternalId.objects.create(
            inventory_item=lot, store=seller.store, external_lot_id=str(number), base=as_json(remote.state)
        )
        lots.append(lot)
    push(seller)
    for lot in lots:
        set_qty(lot, 9)
    before = len(seller.sandbox.asked())
    assert push(seller).done == count
    assert len(seller.sandbox.asked()) - before == calls
    assert {seller.there()[str(number)] for number in made} == {9}


@pytest.mark.parametrize("code", CODES)
def test_goes_on_after_a_storm(code: str, seller: Seller) -> None:
    rows = [seller.listed(qty=10, no=no) for no in ("3001", "3003", "3004")]
    push(seller)
    seller.sandbox.fault("status", status=503, times=3)
    seller.sandbox.fault("rate_limit", retry_after=1, times=1)
    for lot, _number in rows:
        set_qty(lot, 2)
    for attempt in range(8):
        Store.objects.get(pk=seller.store.pk)
        StoreSyncState.objects.filter(store=seller.store).update(retry_at=None, state=StoreState.OK)
        client().flushdb()
        push_store(store_id=seller.store.pk, now=timezone.now() + timedelta(hours=attempt))
    assert [seller.there()[number] for _lot, number in rows] == [2, 2, 2]
    assert [seller.base(number) for _lot, number in rows] == [2, 2, 2]
    assert [qty_of(lot.pk) for lot, _number in rows] == [(2, 0)] * 3


def use_calls(seller: Seller, count: int) -> None:
    """Have so many of the day's calls be made."""
    today = timezone.now().date().isoformat()
    StoreSyncState.objects.filter(store=seller.store).update(
        rate_limit_state={"day": today, "used": count, "limit": 5000}
    )
    client().flushdb()


@pytest.mark.parametrize("code", ["bricklink"])
def test_orders_come_in_while_no_calls_are_left_for_stock(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    use_calls(seller, 4500)
    set_qty(lot, 3)
    push(seller)
    later = timezone.now() + timedelta(minutes=20)
    assert asking.stores_to_read(later) == [seller.store.pk]
    order = seller.order((number, 2))
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert order_numbered(order).lines.get().qty_reserved == 2
    # Stock waits for the next day all the same, and nobody is told a second time.
    state = StoreSyncState.objects.get(store=seller.store)
    assert (state.state, state.last_error != "") == (StoreState.LIMITED, True)
    assert not pushing.may_push(Store.objects.get(pk=seller.store.pk), by_hand=True, now=later)
    push(seller)
    assert Event.objects.filter(event_type="store.paused").count() == 1
    # With the last call the orders wait too.
    use_calls(seller, 5000)
    assert asking.stores_to_read(later + timedelta(minutes=20)) == []


PATHS = {"bricklink": "inventories", "brickowl": "inventory/list", "brikick": "lots"}


@pytest.mark.parametrize("code", CODES)
def test_half_an_answer_is_no_empty_store(code: str, seller: Seller) -> None:
    rows = [seller.listed(qty=10, no=no) for no in ("3001", "3003", "3004", "3005", "3006", "3007")]
    push(seller)
    numbers = {number for _lot, number in rows}
    listings = InventoryExternalId.objects.filter(store=seller.store)
    bases.must_read(listing_ids=list(listings.values_list("pk", flat=True)))
    set_qty(rows[0][0], 0)
    seller.sandbox.fault("short_list", most=1, service=code, path=PATHS[code], times=1)
    for _ in range(3):
        client().flushdb()
        push(seller)
    assert set(listings.values_list("external_lot_id", flat=True)) == numbers
    assert {number: seller.there().get(number, 0) for number in numbers} == {
        number: 0 if number == rows[0][1] else 10 for number in numbers
    }
    assert not ListingState.objects.exclude(error="").exists()


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_lot_whose_answer_was_lost_is_not_made_twice_after_half_a_list(code: str, seller: Seller) -> None:
    for row in seller.sandbox.control("GET", f"sellers/{seller.id}/lots"):
        seller.sandbox.control("DELETE", f"sellers/{seller.id}/lots/{row['id']}")
    for no in ("3001", "3003", "3004", "3005"):
        seller.listed(qty=5, no=no)
    lot = make_lot(qty=4, item_no="3003", condition="USED")
    InventoryExternalId.objects.create(inventory_item=lot, store=seller.store)
    seller.sandbox.fault("reset_after", service=code, method="POST", times=1)
    seller.sandbox.fault("short_list", most=1, service=code, method="GET", path=PATHS[code], times=1)
    for _ in range(3):
        client().flushdb()
        push(seller)
    assert sorted(seller.there().values()) == [4, 5, 5, 5, 5]
    assert seller.there()[str(lot.listings.get().external_lot_id)] == 4


@pytest.mark.parametrize("code", CODES)
def test_more_taken_than_is_there_is_looked_at_and_not_just_refused(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", {"quantity": 2})
    set_qty(lot, 5)
    push(seller)
    # Eight pieces went there by its seller's hand; of five that are left here none is.
    assert (qty_of(lot.pk), seller.there().get(number, 0)) == ((0, 0), 0)
    assert not ListingState.objects.exclude(error="").exists()


def carts(seller: Seller, number: str, **row: int) -> None:
    """Have so many pieces of a lot lie in carts of buyers who check out, and so many be left."""
    seller.sandbox.control("PATCH", f"sellers/{seller.id}/lots/{number}", row)


def look_again(seller: Seller) -> None:
    """Have what was refused be tried now, and send what is wanted."""
    ListingState.objects.filter(store=seller.store).update(retry_at=timezone.now())
    client().flushdb()
    push(seller)


@pytest.mark.parametrize("code", ["brikick"])
def test_pieces_in_carts_are_neither_sold_nor_edited(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    carts(seller, number, quantity=7, in_carts=3)
    bases.must_read(listing_ids=list(InventoryExternalId.objects.values_list("pk", flat=True)))
    push(seller)
    assert (qty_of(lot.pk), seller.base(number)) == ((10, 0), 10)
    # Six are wanted there, with those in carts.
    set_qty(lot, 6)
    push(seller)
    assert seller.there()[number] == 3
    carts(seller, number, quantity=6, in_carts=0)
    order = seller.order((number, 3))
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert (qty_of(lot.pk), order_numbered(order).lines.get().qty_short) == ((3, 3), 0)
    assert not StockMovement.objects.filter(kind="CHANNEL_EDIT").exists()
    push(seller)
    assert seller.there()[number] == 3


@pytest.mark.parametrize("is_ordered", [True, False])
@pytest.mark.parametrize("code", ["brikick"])
def test_all_goes_but_what_lies_in_carts(code: str, seller: Seller, *, is_ordered: bool) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    carts(seller, number, quantity=7, in_carts=3)
    set_qty(lot, 0)
    push(seller)
    # Nobody can buy any more; three may be bought yet by who holds them.
    assert (seller.there()[number], seller.base(number)) == (0, 3)
    assert "3 of its pieces lie in carts at Brikick" in state_of(number).error
    look_again(seller)
    assert (seller.there()[number], seller.base(number)) == (0, 3)
    carts(seller, number, quantity=3, in_carts=0)
    if is_ordered:
        order = seller.order((number, 3))
        pull_orders(store_id=seller.store.pk, now=timezone.now())
        assert order_numbered(order).lines.get().qty_short == 3
    look_again(seller)
    assert (seller.there()[number], seller.base(number), state_of(number).error) == (0, 0, "")
    assert not StockMovement.objects.filter(kind="CHANNEL_EDIT").exists()
    assert qty_of(lot.pk) == (0, 0)


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
@pytest.mark.parametrize("code", ["brikick"])
def test_a_lost_answer_about_what_lies_in_carts_edits_nothing(kind: str, code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push(seller)
    carts(seller, number, quantity=7, in_carts=3)
    set_qty(lot, 0)
    seller.sandbox.fault(kind, service=code, path="lots/batch", nth=2, times=1)
    for _ in range(3):
        look_again(seller)
    assert (seller.there()[number], seller.base(number), qty_of(lot.pk)) == (0, 3, (0, 0))
    assert not StockMovement.objects.filter(kind="CHANNEL_EDIT").exists()

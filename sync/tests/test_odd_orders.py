"""Orders as no marketplace should answer them, over real HTTP: each is taken over, or kept with its reason.

None of them stops the good one behind it, and none moves a piece that it doesn't name.
"""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from audit import bulk
from common.errors import ProviderError
from common.redis_client import client
from events.models import Event
from inventory.models import InventoryExternalId, InventoryItem
from inventory.testing import make_lot
from orders.models import Order
from stores import services as stores
from stores.channels import spec_of
from stores.models import Store, StoreSyncState
from sync.models import StuckOrder
from sync.services import arriving, connect, pulling
from sync.tests.conftest import credentials_of
from sync.tests.scripted import Scripted, literal, refused
from sync.tests.sellers import check_books, order_numbered, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "unthrottled")]
LOT, GOOD = 301000017, 25009999


@pytest.fixture
def code() -> str:
    return "bricklink"


@dataclass
class Shop:
    """A store at a server whose orders a test makes up, and a lot of ours that is listed there."""

    script: Scripted
    store: Store
    lot: InventoryItem
    told: dict[int, dict[str, Any]] = field(default_factory=dict)

    def tell(self, number: int, *lines: dict[str, Any] | list[Any], **values: Any) -> None:
        """Have the server answer an order with these lines, and with what is odd about it."""
        at = datetime.now(tz=UTC).isoformat()
        order = copy.deepcopy(literal("bricklink", "order.json"))
        cost = {**order["cost"], **values.pop("cost", {})}
        order |= {"order_id": number, "date_ordered": at, "date_status_changed": at, "cost": cost, **values}
        self.told[number] = order
        self.script.answer(f"GET orders/{number}", self._well(order))
        self.script.answer(f"GET orders/{number}/items", self._well([list(lines)]))
        self.script.answer("GET orders", self._well(list(self.told.values())))

    @staticmethod
    def _well(data: Any) -> dict[str, Any]:
        return {"meta": {"description": "OK", "message": "OK", "code": 200}, "data": data}

    def pull(self) -> pulling.Pulled:
        """Read the orders; the good one is there."""
        self.tell(GOOD, line(qty=1))
        found = pulling.pull_orders(store_id=self.store.pk, now=timezone.now())
        assert order_numbered(str(GOOD)).lines.get().qty_reserved == 1
        check_books()
        return found


def line(**values: Any) -> dict[str, Any]:
    """Answer a line as BrickLink has them, of the listed lot."""
    qty = values.pop("qty", 2)
    made: dict[str, Any] = copy.deepcopy(literal("bricklink", "items.json")[0][0])
    return {**made, "inventory_id": LOT, "quantity": qty, "new_or_used": "N", **values}


@pytest.fixture
def shop(script: Scripted) -> Iterator[Shop]:
    client().flushdb()
    store = stores.create_store(
        channel="bricklink", name="Odd", credentials=credentials_of("bricklink"), base_url=script.url,
        settings={"currency": "EUR"}, now=timezone.now(),
    )  # fmt: skip
    bulk.update(Store.objects.filter(pk=store.pk), created_at=F("created_at") - timedelta(days=1))
    lot = make_lot(qty=1000)
    InventoryExternalId.objects.create(
        inventory_item=lot, store=store, external_lot_id=str(LOT), base={"qty": 1000, "price": "0.12"}
    )
    yield Shop(script, store, lot)
    assert StoreSyncState.objects.get(store=store).state == "OK"


def base(shop: Shop) -> int:
    return int(InventoryExternalId.objects.get(store=shop.store).base["qty"])


def test_what_is_of_no_known_item_waits_for_a_person(shop: Shop) -> None:
    item = {"no": "no-such-thing", "name": "Thing <script>alert(1)</script>", "type": "PART", "category_id": 1}
    shop.tell(1, line(item=item, inventory_id=77, color_id=99999), line(qty=3))
    assert shop.pull().stuck == 0
    order = order_numbered("1")
    assert order.needs_attention
    assert sorted(order.lines.values_list("inventory_item", "qty_reserved"), key=str) == sorted(
        [(None, 0), (shop.lot.pk, 3)], key=str
    )
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


@pytest.mark.parametrize("cost", [
    {"subtotal": "-4.6190"}, {"grand_total": "-7.0000"}, {"shipping": "-2.7000", "insurance": "-1"},
    {"coupon": "-3"}, {"vat_amount": "-1.00"}, {"currency_code": "ISK"}, {"grand_total": "0.0000"},
])  # fmt: skip
def test_an_odd_amount_keeps_nobody_from_the_pieces(cost: dict[str, str], shop: Shop) -> None:
    shop.tell(1, line(qty=3), cost=cost)
    assert shop.pull().stuck == 0
    order = order_numbered("1")
    assert min(order.subtotal, order.grand_total, order.shipping_cost, order.discount_amount) >= 0
    assert order.currency == cost.get("currency_code", "EUR")
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


@pytest.mark.parametrize("values", [
    {"unit_price": "-0.1200", "unit_price_final": "-0.1200"},
    {"inventory_id": 0}, {"inventory_id": None}, {"remarks": "🧱" * 300, "description": "\u0000\u202e🧱"},
    {"weight": "NaN"}, {"color_name": "🟥 Red"}, {"weight": None},
])  # fmt: skip
def test_an_odd_line_is_taken_or_kept_with_its_reason(values: dict[str, Any], shop: Shop) -> None:
    shop.tell(1, line(qty=3, **values))
    shop.pull()
    stuck = StuckOrder.objects.filter(external_order_id="1").first()
    if stuck is not None:
        assert stuck.error
        assert qty_of(shop.lot.pk) == (999, 1)
        return
    assert sum(order_numbered("1").lines.values_list("qty_ordered", flat=True)) == 3
    assert qty_of(shop.lot.pk) == (996, 4)


def test_people_with_names_of_every_kind_are_written_as_they_are(shop: Shop) -> None:
    name = "Zoë 🧱 O'Néill <b>&amp;</b> \u202e"
    address = {"name": {"full": name}, "full": "🏠\nTown", "country_code": "🇩🇪"}
    shop.tell(1, line(), buyer_name="🧱" * 80, remarks="💬\u0000" * 900, shipping={"method": "🐌", "address": address})
    assert shop.pull().stuck == 0
    order = order_numbered("1")
    assert order.buyer_username.startswith("🧱")
    assert "🏠" in order.ship_to["address1"]


@pytest.mark.parametrize("status", ["PAID", "CANCELLED", "SHIPPED", "TELEPORTED"])
def test_no_lines_are_believed_only_after_a_while(status: str, shop: Shop) -> None:
    shop.tell(1, status=status, total_count=0, unique_count=0)
    for _ in range(5):
        StuckOrder.objects.update(retry_at=timezone.now())
        shop.pull()
    assert order_numbered("1").lines.count() == 0
    assert not StuckOrder.objects.exists()
    assert (qty_of(shop.lot.pk), base(shop)) == ((999, 1), 999)


def test_lines_that_are_left_out_are_asked_for_again_until_they_come(shop: Shop) -> None:
    shop.tell(1)
    for _ in range(5):
        StuckOrder.objects.update(retry_at=timezone.now())
        shop.pull()
    assert StuckOrder.objects.get().error
    shop.tell(1, line(qty=3))
    StuckOrder.objects.update(retry_at=timezone.now())
    assert shop.pull().stuck == 0
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


def test_five_hundred_lines_are_one_order(shop: Shop) -> None:
    shop.tell(1, *(line(qty=1) for _ in range(250)), *(line(qty=1, inventory_id=LOT + 1 + no) for no in range(250)))
    assert shop.pull().stuck == 0
    assert order_numbered("1").lines.count() == 500
    available, reserved = qty_of(shop.lot.pk)
    assert available + reserved == 1000
    assert base(shop) == 1000 - 250 - 1


def test_the_same_order_twice_in_a_list_is_one(shop: Shop) -> None:
    shop.tell(1, line(qty=3))
    shop.tell(GOOD, line(qty=1))
    rows = [*shop.told.values(), *shop.told.values()]
    shop.script.answer("GET orders", {"meta": {"description": "OK", "message": "OK", "code": 200}, "data": rows})
    for _ in range(2):
        pulling.pull_orders(store_id=shop.store.pk, now=timezone.now())
    assert Order.objects.count() == 2
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


def test_ten_versions_in_any_sequence_end_with_the_last(shop: Shop) -> None:
    dice = random.Random(3)  # noqa: S311  # a game
    began = timezone.now()
    versions = []
    for number in range(10):
        shop.tell(1, line(qty=3 + number), date_ordered=began.isoformat())
        remote = connect(shop.store.pk, call_class="urgent").fetch_order("1")  # type: ignore[arg-type]
        assert remote is not None
        versions.append((replace(remote, subtotal=Decimal(number)), began + timedelta(seconds=number)))
    for _ in range(5):
        dice.shuffle(versions)
        for remote, as_of in versions:
            arriving.take_over(shop.store, spec_of("bricklink"), remote, as_of=as_of, now=timezone.now())
    assert order_numbered("1").subtotal == 9
    assert (qty_of(shop.lot.pk), base(shop)) == ((988, 12), 988)
    check_books()


def test_an_order_whose_lines_are_not_there_is_asked_for_again(shop: Shop) -> None:
    shop.tell(1, line(qty=3))
    shop.script.answer("GET orders/1/items", refused(404, "RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND: order"))
    assert shop.pull().stuck == 1
    assert StuckOrder.objects.get().external_order_id == "1"
    shop.tell(1, line(qty=3))
    StuckOrder.objects.update(retry_at=timezone.now())
    assert shop.pull().stuck == 0
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


@pytest.mark.parametrize("path", ["orders/1", "orders/1/items"])
def test_an_order_that_is_refused_stops_no_other_and_is_not_asked_for_all_day(path: str, shop: Shop) -> None:
    shop.tell(1, line(qty=3))
    shop.script.answer(f"GET {path}", refused(400, "PARAMETER_MISSING_OR_INVALID", "It is no order that we show"))
    assert shop.pull().stuck == 1
    StuckOrder.objects.update(retry_at=timezone.now())
    assert shop.pull().stuck == 1
    assert "no order that we show" in StuckOrder.objects.get().error
    asked = len(shop.script.asked)
    shop.pull()
    assert not [each for each in shop.script.asked[asked:] if each.path.startswith("orders/1")]
    assert StoreSyncState.objects.get(store=shop.store).last_orders_sync is not None
    shop.tell(1, line(qty=3))
    StuckOrder.objects.update(retry_at=timezone.now())
    assert shop.pull().stuck == 0
    assert (qty_of(shop.lot.pk), base(shop)) == ((996, 4), 996)


def test_an_order_over_which_the_channel_fails_stops_no_other(shop: Shop) -> None:
    shop.tell(1, line(qty=3))
    shop.script.answer("GET orders/1", (500, {}))
    assert shop.pull().stuck == 1
    # Two in a row mean that it isn't the order.
    for number in (2, 3):
        shop.tell(number, line(qty=1))
        shop.script.answer(f"GET orders/{number}", (500, {}))
    with pytest.raises(ProviderError):
        pulling.pull_orders(store_id=shop.store.pk, now=timezone.now())
    for number in (1, 2, 3):
        shop.tell(number, line(qty=1))
    StuckOrder.objects.update(retry_at=timezone.now())
    shop.pull()
    assert Order.objects.count() == 4


def test_an_order_that_waits_and_breaks_the_channel_is_not_asked_for_with_every_reading(shop: Shop) -> None:
    shop.tell(1, line(qty=3), cost={"currency_code": "?"})
    assert shop.pull().stuck == 1
    shop.script.answer("GET orders/1", (500, {}))
    StuckOrder.objects.update(retry_at=timezone.now())
    with pytest.raises(ProviderError):
        shop.pull()
    assert StuckOrder.objects.get().retry_at > timezone.now()
    assert shop.pull().stuck == 0


@pytest.mark.parametrize("word", ["PENDING", "PAID", "PACKED", "SHIPPED"])
def test_an_order_whose_cancellation_is_taken_back_has_its_pieces_again(word: str, shop: Shop) -> None:
    for status in ("PENDING", "CANCELLED"):
        shop.tell(1, line(qty=3), status=status)
        shop.pull()
    assert (order_numbered("1").status, qty_of(shop.lot.pk)) == ("CANCELLED", (999, 1))
    shop.tell(1, line(qty=3), status=word)
    shop.pull()
    order = order_numbered("1")
    assert order.status == {"PENDING": "PENDING", "PAID": "PENDING", "PACKED": "READY"}.get(word, word)
    assert qty_of(shop.lot.pk) == ((996, 1) if word == "SHIPPED" else (996, 4))
    shop.tell(1, line(qty=3), status=word, total_weight="1.00")
    shop.pull()
    assert qty_of(shop.lot.pk) == ((996, 1) if word == "SHIPPED" else (996, 4))


def test_amounts_are_rounded_to_cents_once_and_the_same_again_is_no_change(shop: Shop) -> None:
    cost = {"subtotal": "4.6150", "shipping": "2.7000", "grand_total": "7.3150"}
    shop.tell(1, line(qty=3), cost=cost, date_ordered=f"{timezone.now():%Y-%m-%dT%H:%M:%S}.000Z")
    shop.pull()
    order = order_numbered("1")
    assert (order.subtotal, order.grand_total) == (Decimal("4.62"), Decimal("7.32"))
    told = Event.objects.get(event_type="order.created", payload__data__external_order_id="1")
    assert told.payload["data"]["grand_total"] == "7.32"
    remote = connect(shop.store.pk, call_class="urgent").fetch_order("1")  # type: ignore[arg-type]
    assert remote is not None
    later = timezone.now() + timedelta(minutes=1)
    arriving.take_over(shop.store, spec_of("bricklink"), remote, as_of=later, now=later)
    assert order_numbered("1").version == order.version


def test_a_store_that_said_no_currency_has_that_of_its_first_order(shop: Shop) -> None:
    bulk.update(Store.objects.filter(pk=shop.store.pk), settings={})
    shop.tell(GOOD, line(qty=1), cost={"currency_code": "USD"})
    pulling.pull_orders(store_id=shop.store.pk, now=timezone.now())
    shop.store.refresh_from_db()
    assert shop.store.settings["currency"] == "USD"
    shop.tell(2, line(qty=1), cost={"currency_code": "EUR"})
    pulling.pull_orders(store_id=shop.store.pk, now=timezone.now())
    shop.store.refresh_from_db()
    assert shop.store.settings["currency"] == "USD"

"""An order arrives, again, changed, too late and broken: its stock moves once, and what is odd is kept and said."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from common.errors import Invalid, NotFound
from events.models import Event
from inventory import services as inventory
from inventory.models import InventoryExternalId, ItemMapping, StockMovement
from inventory.testing import make_location, make_lot
from orders import services
from orders.choices import Flag, OrderStatus
from orders.lifecycle import Status
from orders.models import Buyer, Order
from orders.testing import PLACED, arrive, incoming, incoming_line, later, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store()


def _stock(lot):
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def _events(name):
    return Event.objects.filter(event_type=name).count()


# --- It arrives -----------------------------------------------------------------------------------------------------
def test_an_order_arrives_with_its_lines_its_buyer_and_its_stock(store):
    lot = make_lot(qty=10)

    order = arrive(store, incoming(incoming_line(lot, qty=4), shipping_cost=Decimal("5.90"), status=Status.PENDING))

    line = order.lines.get()
    assert (line.inventory_item_id, line.qty_ordered, line.qty_reserved, line.qty_short) == (lot.pk, 4, 4, 0)
    assert (line.item_no, line.color_name, line.line_total) == ("3001", "Red", Decimal("0.48"))
    assert _stock(lot) == (6, 4)
    assert (order.subtotal, order.grand_total) == (Decimal("0.48"), Decimal("6.38"))
    assert order.buyer
    assert (order.status, order.buyer.name, order.ship_country) == (OrderStatus.PENDING, "Jan Berg", "DE")
    assert not order.needs_attention
    assert _events("order.created") == 1


def test_the_same_version_again_changes_nothing(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4))
    order = arrive(store, told)
    before = (order.version, order.history.count(), StockMovement.objects.count(), Event.objects.count())

    for _ in range(3):
        again = arrive(store, told)

    assert (again.version, order.history.count(), StockMovement.objects.count(), Event.objects.count()) == before
    assert _stock(lot) == (6, 4)


def test_that_nothing_has_changed_since_leaves_no_version(store):
    order = arrive(store, incoming(incoming_line(make_lot(), qty=4)))

    again = arrive(store, later(incoming(incoming_line(qty=4, unit_price=Decimal("0.12")))))

    again.refresh_from_db()
    assert (again.version, order.history.count()) == (1, 1)
    assert again.channel_as_of == PLACED + timedelta(hours=1)


def test_an_older_version_that_comes_late_changes_nothing(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4))
    arrive(store, later(told, hours=2, lines=(incoming_line(lot, qty=2),)))

    arrive(store, told)

    assert _stock(lot) == (8, 2)


def test_lines_find_their_lots_by_the_listing_first(store):
    listed, alike = make_lot(qty=10), make_lot(qty=99)
    InventoryExternalId.objects.create(inventory_item=listed, store=store, external_lot_id="77001")

    order = arrive(store, incoming(incoming_line(alike, qty=1, external_lot_id="77001")))

    assert order.lines.get().inventory_item_id == listed.pk


def test_of_equal_lots_the_one_with_the_price_the_remarks_and_the_pieces_is_taken(store):
    make_lot(qty=50, unit_price=Decimal("0.20"), remarks="A")
    make_lot(qty=1, unit_price=Decimal("0.12"), remarks="B")
    enough = make_lot(qty=9, unit_price=Decimal("0.12"), remarks="C")
    remarked = make_lot(qty=8, unit_price=Decimal("0.12"), remarks="D")

    by_pieces = arrive(store, incoming(incoming_line(qty=5)))
    by_remarks = arrive(store, incoming(incoming_line(qty=5, remarks="D"), external_order_id="2"))

    assert by_pieces.lines.get().inventory_item_id == enough.pk
    assert by_remarks.lines.get().inventory_item_id == remarked.pk


def test_what_is_no_known_lot_stays_unmatched_and_is_said(store):
    make_lot(item_no="3002")

    order = arrive(store, incoming(incoming_line(item_no="", external_item_no="X-99", item_name="Something", qty=2)))

    line = order.lines.get()
    assert line.inventory_item_id is None
    assert order.needs_attention
    assert "X-99" in next(each["text"] for each in order.warnings if each["code"] == "unmatched")


def test_the_shops_own_meaning_of_a_number_counts(store):
    lot = make_lot(item_no="3040b", color_id=1)
    ItemMapping.objects.create(system="bricklink", external_id="X-99", item_type="PART", item_no="3040b", color_id=1)

    order = arrive(store, incoming(incoming_line(item_no="", external_item_no="X-99", qty=2)))

    assert order.lines.get().inventory_item_id == lot.pk


def test_what_is_not_there_is_short_and_told(store):
    lot = make_lot(qty=3)

    order = arrive(store, incoming(incoming_line(lot, qty=5)))

    line = order.lines.get()
    assert (line.qty_reserved, line.qty_short) == (3, 2)
    assert order.needs_attention
    assert _stock(lot) == (0, 3)
    told = Event.objects.get(event_type="inventory.oversold").payload["data"]
    assert told["inventory_item_ids"] == [str(lot.pk)]
    assert told["qty_short"] == [2]


def test_an_order_that_was_shipped_already_takes_its_pieces_at_once(store):
    place = make_location()
    lot = make_lot(qty=10, location=place)

    order = arrive(store, incoming(incoming_line(lot, qty=4), status=Status.SHIPPED))

    assert _stock(lot) == (6, 0)
    line = order.lines.get()
    assert (line.qty_shipped, line.qty_reserved) == (4, 0)
    assert line.shipped_from == [{"location_id": str(place.pk), "qty": 4}]
    assert list(StockMovement.objects.order_by("id").values_list("kind", flat=True))[-2:] == ["RESERVE", "SHIP"]


def test_an_order_that_ended_before_it_was_heard_of_takes_nothing(store):
    lot = make_lot(qty=10)

    arrive(store, incoming(incoming_line(lot, qty=4), status=Status.CANCELLED))

    assert _stock(lot) == (10, 0)


def test_an_order_from_before_the_store_was_connected_moves_nothing(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4), status=Status.SHIPPED, is_history=True)

    order = arrive(store, told)
    arrive(store, later(told, status=Status.COMPLETED))

    order.refresh_from_db()
    assert order.status == OrderStatus.COMPLETED
    assert _stock(lot) == (10, 0)


# --- It changes -----------------------------------------------------------------------------------------------------
def test_edits_move_only_the_difference(store):
    one, two, three = make_lot(qty=10), make_lot(qty=10, item_no="3002"), make_lot(qty=10, item_no="3003")
    told = incoming(incoming_line(one, qty=4), incoming_line(two, qty=4))
    arrive(store, told)

    arrive(store, later(told, lines=(incoming_line(one, qty=6), incoming_line(three, qty=1))))

    assert [_stock(lot) for lot in (one, two, three)] == [(4, 6), (10, 0), (9, 1)]
    moves = StockMovement.objects.filter(inventory_item=one).exclude(kind="INITIAL").order_by("id")
    assert list(moves.values_list("delta_reserved", flat=True)) == [4, 2]


def test_a_line_that_was_taken_out_can_come_back(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4), incoming_line(make_lot(item_no="3002"), qty=1))
    order = arrive(store, told)
    arrive(store, later(told, lines=told.lines[1:]))
    assert _stock(lot) == (10, 0)

    arrive(store, later(told, hours=2))

    assert _stock(lot) == (6, 4)
    assert order.lines.count() == 2


def test_fewer_pieces_take_the_short_ones_first(store):
    lot = make_lot(qty=3)
    told = incoming(incoming_line(lot, qty=5))
    order = arrive(store, told)

    arrive(store, later(told, lines=(incoming_line(lot, qty=3),)))

    line = order.lines.get()
    assert (line.qty_reserved, line.qty_short) == (3, 0)
    assert _stock(lot) == (0, 3)


def test_an_edit_after_picking_has_begun_is_flagged_and_fits_the_picks(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=5), status=Status.PENDING)
    order = arrive(store, told)
    services.change_status(order_id=order.pk, status="PICKING", now=timezone.now())
    line = order.lines.get()
    line.qty_picked = 5
    line.save()

    order = arrive(store, later(told, lines=(incoming_line(lot, qty=2),)))

    line = order.lines.get()
    assert (line.qty_ordered, line.qty_picked, line.qty_reserved) == (2, 2, 2)
    assert Flag.ITEMS_CHANGED in order.flags
    assert _stock(lot) == (8, 2)


def test_what_has_left_stays_as_it_left(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4), status=Status.SHIPPED)
    arrive(store, told)

    order = arrive(store, later(told, lines=(incoming_line(lot, qty=6),)))

    assert _stock(lot) == (6, 0)
    assert Flag.ITEMS_CHANGED in order.flags
    assert order.lines.get().qty_ordered == 4


def test_an_order_without_lines_any_more_keeps_those_it_had(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4))
    arrive(store, told)

    order = arrive(store, later(told, lines=()))

    assert _stock(lot) == (6, 4)
    assert order.warnings[0]["code"] == "no_lines"


def test_a_listing_that_comes_later_matches_the_line(store):
    lot = make_lot(item_no="3002", qty=10)
    told = incoming(incoming_line(item_no="", external_item_no="X", external_lot_id="5", qty=2))
    order = arrive(store, told)
    InventoryExternalId.objects.create(inventory_item=lot, store=store, external_lot_id="5")

    order = arrive(store, told)

    assert order.lines.get().inventory_item_id == lot.pk
    assert _stock(lot) == (8, 2)
    assert not order.needs_attention


def test_a_channel_jumps_forward_and_never_back(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4), status=Status.NEW)
    arrive(store, told)
    arrive(store, later(told, status=Status.SHIPPED, channel_status="SHIPPED"))
    assert _stock(lot) == (6, 0)

    order = arrive(store, later(told, hours=2, status=Status.PENDING, channel_status="PAID"))

    assert (order.status, order.channel_status) == (OrderStatus.SHIPPED, "PAID")
    assert _events("order.shipped") == 1


def test_what_is_cancelled_is_free_again_once(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4))
    arrive(store, told)

    for hours in (1, 2, 3):
        arrive(store, later(told, hours=hours, status=Status.CANCELLED))

    assert _stock(lot) == (10, 0)
    assert _events("order.cancelled") == 1


def test_what_is_cancelled_after_it_has_left_is_a_dispute_until_somebody_decided(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4), status=Status.SHIPPED)
    arrive(store, told)

    order = arrive(store, later(told, status=Status.CANCELLED))
    assert (order.status, order.flags) == (OrderStatus.SHIPPED, [Flag.DISPUTE])
    assert order.needs_attention
    assert _stock(lot) == (6, 0)

    services.update_order(order_id=order.pk, changes={"flags": []}, now=timezone.now())
    order = arrive(store, later(told, hours=2, status=Status.CANCELLED))
    assert order.flags == []


def test_a_reinstated_order_is_reserved_again_or_flagged(store):
    lot = make_lot(qty=4)
    told = incoming(incoming_line(lot, qty=4))
    arrive(store, told)
    arrive(store, later(told, status=Status.CANCELLED))
    inventory.adjust_stock(lot_id=lot.pk, qty_available=1, now=timezone.now())

    order = arrive(store, later(told, hours=2, status=Status.PENDING, is_reinstated=True))

    assert order.status == OrderStatus.PENDING
    assert Flag.PROBLEM in order.flags
    assert _stock(lot) == (0, 1)


def test_an_order_that_was_cancelled_here_and_shipped_there_is_for_a_person(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=4))
    order = arrive(store, told)
    services.cancel_order(order_id=order.pk, now=timezone.now())

    order = arrive(store, later(told, status=Status.SHIPPED))

    assert (order.status, order.flags, order.needs_attention) == (OrderStatus.CANCELLED, [Flag.DISPUTE], True)
    assert "shipped on the channel after it had been cancelled here" in str(order.warnings)
    services.update_order(order_id=order.pk, changes={"flags": []}, now=timezone.now())
    assert arrive(store, later(told, hours=2, status=Status.SHIPPED)).flags == []


def test_that_money_was_given_back_here_is_not_forgotten_with_the_next_word(store):
    told = incoming(incoming_line(make_lot(qty=10), qty=4), status=Status.PENDING, payment_status="PAID")
    order = arrive(store, told)
    services.refund_order(order_id=order.pk, amount=Decimal("0.10"), now=timezone.now())

    order = arrive(store, later(told, channel_status="PACKED"))

    assert (order.flags, order.payment_status) == ([Flag.PARTIALLY_REFUNDED], "PARTIALLY_REFUNDED")


def test_a_tracking_number_is_taken_over_and_one_typed_in_is_not_lost(store):
    told = incoming(incoming_line(make_lot()), status=Status.SHIPPED)
    order = arrive(store, told)
    services.update_order(order_id=order.pk, changes={"tracking_number": "TYPED-1"}, now=timezone.now())

    order = arrive(store, later(told))
    assert order.tracking_number == "TYPED-1"

    order = arrive(store, later(told, hours=2, tracking_number=" 3S0012 ", tracking_url="https://post.example/3S0012"))
    assert (order.tracking_number, order.tracking_url) == ("3S0012", "https://post.example/3S0012")


def test_a_tracking_page_that_is_none_is_left_out_and_said(store):
    told = incoming(incoming_line(make_lot()), tracking_number="3S0012", tracking_url="javascript:alert(1)")

    order = arrive(store, told)

    assert (order.tracking_number, order.tracking_url) == ("3S0012", "")
    assert "tracking_url" in {warning["code"] for warning in order.warnings}


def test_flags_of_the_channel_come_and_go_and_those_of_people_stay(store):
    told = incoming(incoming_line(make_lot()), flags=frozenset({"on_hold"}))
    order = arrive(store, told)
    services.update_order(order_id=order.pk, changes={"flags": ["on_hold", "problem"]}, now=timezone.now())

    order = arrive(store, later(told, flags=frozenset()))

    assert order.flags == [Flag.PROBLEM]


def test_a_hold_that_a_person_set_stays_until_a_person_lifts_it(store):
    told = incoming(incoming_line(make_lot()))
    order = arrive(store, told)
    services.update_order(order_id=order.pk, changes={"flags": ["on_hold"]}, now=timezone.now())
    order = arrive(store, later(told, status=Status.PENDING))
    assert order.flags == [Flag.ON_HOLD]

    # Holding it there too, for a while, doesn't make it the channel's.
    arrive(store, later(told, hours=2, flags=frozenset({"on_hold"})))
    order = arrive(store, later(told, hours=3, flags=frozenset()))
    assert order.flags == [Flag.ON_HOLD]

    services.update_order(order_id=order.pk, changes={"flags": []}, now=timezone.now())
    arrive(store, later(told, hours=4, flags=frozenset({"on_hold"})))
    order = arrive(store, later(told, hours=5, flags=frozenset()))
    assert order.flags == []


def test_a_cancellation_lifts_a_persons_hold(store):
    told = incoming(incoming_line(make_lot()))
    order = arrive(store, told)
    services.update_order(order_id=order.pk, changes={"flags": ["on_hold"]}, now=timezone.now())
    assert arrive(store, later(told, status=Status.CANCELLED)).flags == []


# --- It is broken ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"external_order_id": " "}, "/external_order_id"),
        ({"currency": "euro"}, "/currency"),
        ({"grand_total": Decimal(-1)}, "/grand_total"),
        ({"shipping_cost": Decimal("NaN")}, "/shipping_cost"),
        ({"discount_amount": Decimal("-0.01")}, "/discount_amount"),
        ({"tax_amount": Decimal(10) ** 11}, "/tax_amount"),
        ({"buyer_name": "x" * 201}, "/buyer_name"),
        ({"buyer_name": "a\x00b"}, "/buyer_name"),
        ({"payment_status": "MAYBE"}, "/payment_status"),
        ({"flags": frozenset({"odd"})}, "/flags"),
        ({"as_of": PLACED.replace(tzinfo=None)}, "/as_of"),
    ],
)
def test_what_is_no_order_is_refused_by_field(store, values, pointer):
    with pytest.raises(Invalid) as refused:
        arrive(store, incoming(incoming_line(make_lot()), **values))
    assert pointer in refused.value.errors
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"qty": -1}, "qty"),
        ({"unit_price": Decimal("-0.01")}, "unit_price"),
        ({"item_type": "TRAIN"}, "item_type"),
        ({"condition": "WORN"}, "condition"),
        ({"item_no": "", "item_name": ""}, "item_no"),
        ({"item_no": "x" * 61}, "item_no"),
    ],
)
def test_a_line_that_is_none_is_refused_by_field(store, values, name):
    with pytest.raises(Invalid) as refused:
        arrive(store, incoming(incoming_line(), incoming_line(**values)))
    assert f"/lines/1/{name}" in refused.value.errors


def test_a_line_that_comes_twice_is_refused(store):
    with pytest.raises(Invalid) as refused:
        arrive(store, incoming(incoming_line(external_line_id="7"), incoming_line(external_line_id="7")))
    assert set(refused.value.errors) == {"/lines/0/external_line_id", "/lines/1/external_line_id"}


def test_no_such_store(store):
    with pytest.raises(NotFound):
        services.import_order(store_id=UUID(int=1), incoming=incoming(incoming_line()), now=timezone.now())


def test_what_is_odd_is_kept_with_a_warning(store):
    order = arrive(
        store,
        incoming(
            buyer_name="", buyer_email="", buyer_username="", subtotal=Decimal(3), grand_total=Decimal(9),
            currency="JPY",
        ),
    )  # fmt: skip
    assert {each["code"] for each in order.warnings} == {"no_lines", "no_buyer", "total"}
    assert (order.currency, order.buyer, order.lines.count()) == ("JPY", None, 0)


def test_emoji_markup_and_other_scripts_come_through_as_they_are(store):
    name, text = "Ελένη <script>alert(1)</script> 🧱", "Füße & Ł — \u200b"
    order = arrive(store, incoming(incoming_line(description=text, item_name=text), buyer_name=name, buyer_note=text))
    order.refresh_from_db()
    assert (order.buyer_name, order.buyer_note, order.lines.get().description) == (name, text, text)


def test_an_order_of_500_lines_comes_in_by_a_few_statements(store, django_assert_max_num_queries):
    lots = [make_lot(item_no=str(5000 + number), qty=3) for number in range(500)]
    told = incoming(*(incoming_line(lot, qty=2) for lot in lots))
    with django_assert_max_num_queries(60):
        order = arrive(store, told)
    assert order.lines.filter(qty_reserved=2).count() == 500
    changed = later(told, lines=tuple(replace(line, qty=1) for line in told.lines))
    with django_assert_max_num_queries(60):
        arrive(store, changed)
    assert order.lines.filter(qty_reserved=1).count() == 500


def test_the_same_id_in_two_stores_is_two_orders(store):
    lot = make_lot(qty=10)
    other = make_store("brickowl", "Owl")
    arrive(store, incoming(incoming_line(lot, qty=1)))
    arrive(other, incoming(incoming_line(lot, qty=1)))
    assert Order.objects.count() == 2
    assert Buyer.objects.count() == 1


def test_equal_lines_without_ids_stay_several(store):
    lot = make_lot(qty=10)
    told = incoming(incoming_line(lot, qty=2), incoming_line(lot, qty=3))
    order = arrive(store, told)
    arrive(store, later(told, lines=(incoming_line(lot, qty=2), incoming_line(lot, qty=1))))
    assert list(order.lines.order_by("position").values_list("qty_reserved", flat=True)) == [2, 1]
    assert _stock(lot) == (7, 3)

"""What people do with orders: type them in, change them, move them on, give money back, put them together."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from audit.context import change_set
from audit.services import start_revert
from common.errors import Conflict, IllegalTransition, Invalid, NotFound, StaleVersion
from common.ids import new_id
from events.models import Event
from inventory import services as inventory
from inventory.models import InventoryItemLocation, ItemMapping, StockMovement
from inventory.services import verify_stock
from inventory.testing import make_location, make_lot
from orders import services
from orders.choices import Flag, LineStatus, OrderStatus, PaymentStatus
from orders.errors import OrderClosed
from orders.lifecycle import Status
from orders.models import Order, OrderLine, Refund
from orders.services import NewLine
from orders.testing import arrive, incoming, incoming_line, make_store, pick, type_in

pytestmark = pytest.mark.django_db


def _now():
    return timezone.now()


def _stock(lot):
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def _move(order, *statuses):
    for status in statuses:
        services.change_status(order_id=order.pk, status=status, now=_now())


# --- Typed in -------------------------------------------------------------------------------------------------------
def test_an_order_is_typed_in_with_the_prices_of_its_lots():
    lot, other = make_lot(qty=10, unit_price=Decimal("0.1234")), make_lot(item_no="3002", qty=2)

    order = type_in((lot, 3), (other, 5), buyer_name="Ana", buyer_email="Ana@Example.com", shipping_cost=Decimal(4))

    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)
    assert order.external_order_id == str(order.number)
    assert [line.line_total for line in order.lines.order_by("position")] == [Decimal("0.37"), Decimal("0.60")]
    assert (order.subtotal, order.grand_total) == (Decimal("0.97"), Decimal("4.97"))
    assert _stock(other) == (0, 2)
    assert order.lines.get(inventory_item=other.pk).qty_short == 3
    assert order.buyer
    assert order.buyer.identities.get().value == "ana@example.com"


def test_a_second_press_is_the_same_order():
    lot, key = make_lot(qty=10), new_id()
    first, second = type_in((lot, 3), order_id=key), type_in((lot, 3), order_id=key)
    assert first == second
    assert _stock(lot) == (7, 3)


@pytest.mark.parametrize(
    ("qty", "values", "pointer"),
    [
        (0, {}, "/lines/0/qty"),
        (-1, {}, "/lines/0/qty"),
        (1, {"shipping_cost": Decimal(-1)}, "/shipping_cost"),
        (1, {"buyer_email": "nobody"}, "/buyer_email"),
        (1, {"ship_to": {"country": "Germany"}}, "/ship_to/country"),
        (1, {"tags": ["a,b"]}, "/tags"),
        (1, {"grand_total": Decimal(1)}, "/grand_total"),
    ],
)
def test_what_cannot_be_typed_in_is_refused_by_field(qty, values, pointer):
    with pytest.raises(Invalid) as refused:
        type_in((make_lot(), qty), **values)
    assert pointer in refused.value.errors


def test_lines_can_be_changed_until_picking_begins():
    lot, other = make_lot(qty=10), make_lot(item_no="3002", qty=10)
    order = type_in((lot, 3))
    line = order.lines.get()

    wanted = [NewLine(line_id=line.pk, lot_id=lot.pk, qty=5), NewLine(lot_id=other.pk, qty=2, unit_price=Decimal(1))]
    services.set_lines(order_id=order.pk, lines=wanted, now=_now())

    order.refresh_from_db()
    assert order.grand_total == Decimal("2.60")
    assert (_stock(lot), _stock(other)) == ((5, 5), (8, 2))
    services.set_lines(order_id=order.pk, lines=wanted[1:], now=_now())
    assert _stock(lot) == (10, 0)
    _move(order, "PICKING")
    with pytest.raises(OrderClosed):
        services.set_lines(order_id=order.pk, lines=wanted, now=_now())


def test_the_lines_and_the_buyer_of_a_channels_order_are_the_channels():
    order = arrive(make_store(), incoming(incoming_line(make_lot())))
    with pytest.raises(OrderClosed):
        services.set_lines(order_id=order.pk, lines=[], now=_now())
    with pytest.raises(Invalid) as refused:
        services.update_order(order_id=order.pk, changes={"buyer_name": "Me"}, now=_now())
    assert "/buyer_name" in refused.value.errors


def test_somebody_elses_change_is_not_overwritten():
    order = type_in((make_lot(), 1))
    services.update_order(order_id=order.pk, changes={"notes": "a"}, now=_now(), expected_version=1)
    with pytest.raises(StaleVersion):
        services.update_order(order_id=order.pk, changes={"notes": "b"}, now=_now(), expected_version=1)


def test_notes_tags_and_flags_are_kept_tidy_and_an_address_stays_after_it_has_left():
    order = type_in((make_lot(), 1))
    changes = {"tags": [" fragile ", "gift", "gift"], "flags": ["problem", "on_hold"], "notes": " call first "}
    order = services.update_order(order_id=order.pk, changes=changes, now=_now())
    assert (order.tags, order.flags, order.notes) == (["fragile", "gift"], ["on_hold", "problem"], "call first")
    services.ship_order(order_id=order.pk, now=_now())
    with pytest.raises(OrderClosed):
        services.update_order(order_id=order.pk, changes={"ship_to": {"city": "Porto"}}, now=_now())


# --- Moved on -------------------------------------------------------------------------------------------------------
def test_a_tracking_number_is_typed_in_after_it_has_left():
    order = type_in((make_lot(), 1))
    _move(order, Status.SHIPPED)
    parcel = {"tracking_number": "3S0012", "tracking_url": "https://post.example/3S0012"}

    changed = services.update_order(order_id=order.pk, changes=parcel, now=_now())

    assert (changed.tracking_number, changed.tracking_url) == tuple(parcel.values())
    for url in ("javascript:alert(1)", "post.example", "ftp://post.example/1", f"https://post.example/{'1' * 500}"):
        with pytest.raises(Invalid) as refused:
            services.update_order(order_id=order.pk, changes={"tracking_url": url}, now=_now())
        assert "/tracking_url" in refused.value.errors


def test_shipping_takes_the_pieces_out_of_the_house_once():
    place = make_location()
    lot = make_lot(qty=10, location=place)
    order = type_in((lot, 4))

    for _ in range(2):
        services.ship_order(order_id=order.pk, now=_now())

    assert _stock(lot) == (6, 0)
    line = order.lines.get()
    assert (line.status, line.qty_picked, line.qty_shipped) == (LineStatus.PICKED, 4, 4)
    sold = StockMovement.objects.get(kind="SHIP")
    assert (sold.amount, sold.cause_type, sold.cause_id) == (Decimal("0.48"), "order", str(order.pk))
    assert InventoryItemLocation.objects.get().qty == 6
    assert verify_stock() == []


def test_a_step_that_is_not_in_the_table_names_those_that_are():
    order = type_in((make_lot(), 1), is_paid=False)
    with pytest.raises(IllegalTransition) as refused:
        _move(order, "SHIPPED")
    assert refused.value.extra["allowed"] == ["PENDING", "CANCELLED"]
    with pytest.raises(Invalid):
        _move(order, "LOST")
    with pytest.raises(NotFound):
        services.change_status(order_id=UUID(int=1), status="PENDING", now=_now())


def test_a_cancelled_order_gives_its_pieces_back_and_stays_cancelled():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    services.cancel_order(order_id=order.pk, reason="Changed her mind", now=_now())
    services.cancel_order(order_id=order.pk, now=_now())
    assert _stock(lot) == (10, 0)
    with pytest.raises(IllegalTransition):
        _move(order, "PENDING")


def test_many_are_moved_each_by_itself():
    lot = make_lot(qty=10)
    good, bad = type_in((lot, 1)), type_in((lot, 1), is_paid=False)
    outcomes = services.change_many(order_ids=[good.pk, bad.pk], status="SHIPPED", now=_now())
    assert {each.order_id: bool(each.problem) for each in outcomes} == {good.pk: False, bad.pk: True}


def test_old_orders_are_completed_by_themselves():
    order = type_in((make_lot(), 1))
    services.ship_order(order_id=order.pk, now=_now())
    assert services.close_old(now=_now()) == 0
    assert services.close_old(now=_now() + timedelta(days=46)) == 1
    order.refresh_from_db()
    assert order.status == OrderStatus.COMPLETED


# --- Money and pieces back ------------------------------------------------------------------------------------------
def test_a_full_refund_ends_the_order_and_puts_the_pieces_where_they_lay():
    place = make_location()
    lot = make_lot(qty=10, location=place)
    order = type_in((lot, 4))
    services.ship_order(order_id=order.pk, now=_now())
    assert InventoryItemLocation.objects.get().qty == 6

    refund = services.refund_order(order_id=order.pk, restock=True, reason="Came back", now=_now())

    order.refresh_from_db()
    assert (order.status, order.payment_status, refund.amount) == ("REFUNDED", "REFUNDED", Decimal("0.48"))
    assert _stock(lot) == (10, 0)
    assert InventoryItemLocation.objects.get().qty == 10
    assert verify_stock() == []
    with pytest.raises(Conflict):
        services.refund_order(order_id=order.pk, now=_now())


def test_a_full_refund_without_restock_leaves_the_stock_alone():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    services.ship_order(order_id=order.pk, now=_now())
    services.refund_order(order_id=order.pk, now=_now())
    assert _stock(lot) == (6, 0)


def test_a_full_refund_before_shipping_releases():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    services.refund_order(order_id=order.pk, now=_now())
    assert _stock(lot) == (10, 0)


def test_a_refund_in_part_takes_pieces_off_before_shipping_and_is_the_same_when_pressed_twice():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    key, line = new_id(), order.lines.get()
    for _ in range(2):
        services.refund_order(
            order_id=order.pk, amount=Decimal("0.12"), pieces=[(line.pk, 1)], refund_id=key, now=_now()
        )
    order.refresh_from_db()
    assert (order.refunded_total, order.payment_status) == (Decimal("0.12"), "PARTIALLY_REFUNDED")
    assert Flag.PARTIALLY_REFUNDED in order.flags
    assert _stock(lot) == (7, 3)
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "0.49", "0.001", "NaN"])
def test_an_amount_that_cannot_be_given_back_is_refused(amount):
    order = type_in((make_lot(), 4))
    with pytest.raises(Invalid) as refused:
        services.refund_order(order_id=order.pk, amount=Decimal(amount), now=_now())
    assert "/amount" in refused.value.errors


def test_more_pieces_than_were_shipped_do_not_come_back():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    services.ship_order(order_id=order.pk, now=_now())
    line = order.lines.get()
    services.refund_order(order_id=order.pk, amount=Decimal("0.12"), pieces=[(line.pk, 3)], restock=True, now=_now())
    with pytest.raises(Invalid) as refused:
        services.refund_order(
            order_id=order.pk, amount=Decimal("0.12"), pieces=[(line.pk, 2)], restock=True, now=_now()
        )
    assert "/lines/0/qty" in refused.value.errors
    assert _stock(lot) == (9, 0)


# --- Short and unmatched --------------------------------------------------------------------------------------------
def test_another_lot_steps_in_for_what_is_short():
    lot, other = make_lot(qty=3), make_lot(qty=40, condition="USED")
    order = arrive(make_store(), incoming(incoming_line(lot, qty=5)))
    line = order.lines.get()

    cover = services.take_from_lot(order_id=order.pk, line_id=line.pk, lot_id=other.pk, now=_now())

    line.refresh_from_db()
    assert (line.qty_ordered, line.qty_short, cover.qty_ordered, cover.unit_price) == (3, 0, 2, line.unit_price)
    assert (_stock(lot), _stock(other)) == ((0, 3), (38, 2))
    order.refresh_from_db()
    assert not order.needs_attention


def test_what_another_lot_stepped_in_for_is_known_when_the_channel_speaks_again():
    lot, other, store = make_lot(qty=3), make_lot(qty=40, condition="USED"), make_store()
    told = incoming(incoming_line(lot, qty=5))
    order = arrive(store, told)
    services.take_from_lot(order_id=order.pk, line_id=order.lines.get().pk, lot_id=other.pk, now=_now())

    arrive(store, told)
    assert (_stock(lot), _stock(other)) == ((0, 3), (38, 2))


def test_what_is_short_can_be_taken_off():
    lot = make_lot(qty=3)
    order = arrive(make_store(), incoming(incoming_line(lot, qty=5)))
    services.drop_short(order_id=order.pk, line_id=order.lines.get().pk, now=_now())
    order.refresh_from_db()
    assert not order.needs_attention
    assert order.lines.get().qty_ordered == 3
    with pytest.raises(Conflict):
        services.drop_short(order_id=order.pk, line_id=order.lines.get().pk, now=_now())


def test_pieces_that_come_in_go_to_who_has_waited_longest():
    lot, store = make_lot(qty=0), make_store()
    first = arrive(store, incoming(incoming_line(lot, qty=2)))
    second = arrive(store, incoming(incoming_line(lot, qty=2), external_order_id="2", ordered_at=timezone.now()))
    inventory.adjust_stock(lot_id=lot.pk, qty_available=3, now=_now())

    services.cover_shortages(lot_ids=[lot.pk], now=_now())

    assert [order.lines.get().qty_reserved for order in (first, second)] == [2, 1]
    assert Event.objects.filter(event_type="inventory.oversold").count() == 2


def test_a_line_is_matched_by_hand_and_the_number_remembered():
    store, lot = make_store(), make_lot(item_no="3040b", color_id=1, qty=5)
    given = incoming_line(item_no="", external_item_no="X-9", external_color="11", qty=2)
    order = arrive(store, incoming(given))

    services.match_line(order_id=order.pk, line_id=order.lines.get().pk, lot_id=lot.pk, remember=True, now=_now())

    order.refresh_from_db()
    assert (order.needs_attention, order.warnings) == (False, [])
    assert _stock(lot) == (3, 2)
    mapping = ItemMapping.objects.get()
    assert (mapping.external_id, mapping.external_color, mapping.item_no, mapping.color_id) == ("X-9", "11", "3040b", 1)
    again = arrive(store, incoming(given, external_order_id="2"))
    assert again.lines.get().inventory_item_id == lot.pk


def test_what_picking_does_not_find_leaves_the_books_and_another_lot_steps_in():
    lot, other = make_lot(qty=10), make_lot(qty=9, condition="USED")
    order = type_in((lot, 5))
    line = order.lines.get()
    for _ in range(2):
        pick(order.pk, {line.pk: (3, 2)})
    line.refresh_from_db()
    assert (line.status, line.qty_reserved, _stock(lot)) == (LineStatus.PARTIAL, 3, (5, 3))
    order.refresh_from_db()
    assert order.needs_attention

    services.take_from_lot(order_id=order.pk, line_id=line.pk, lot_id=other.pk, now=_now())
    line.refresh_from_db()
    assert (line.qty_ordered, line.qty_missing, line.status) == (3, 0, LineStatus.PICKED)
    with pytest.raises(Conflict):
        pick(order.pk, {line.pk: (4, 0)})
    services.ship_order(order_id=order.pk, now=_now())
    assert (_stock(lot), _stock(other)) == ((5, 0), (7, 0))
    assert verify_stock() == []


def test_a_missing_piece_that_turns_up_is_promised_again():
    lot = make_lot(qty=10)
    order = type_in((lot, 5))
    line = order.lines.get()
    for missing in (2, 0):
        pick(order.pk, {line.pk: (3, missing)})
    assert _stock(lot) == (5, 5)
    assert verify_stock() == []


# --- Together and again ---------------------------------------------------------------------------------------------
def test_orders_of_one_buyer_go_in_one_parcel_and_leave_together():
    lot, store = make_lot(qty=10), make_store()
    one, two, three = (
        arrive(store, incoming(incoming_line(lot, qty=1), external_order_id=str(n), status=Status.PENDING))
        for n in range(3)
    )
    lead = services.ship_together(order_ids=[one.pk, two.pk], now=_now())
    services.ship_together(order_ids=[two.pk, three.pk], now=_now())

    services.ship_order(order_id=two.pk, now=_now())

    assert set(Order.objects.values_list("status", flat=True)) == {"SHIPPED"}
    assert _stock(lot) == (7, 0)
    assert Order.objects.filter(ships_with=lead).count() == 2


def test_a_parcel_comes_apart_again():
    lot, store = make_lot(qty=10), make_store()
    orders = [
        arrive(store, incoming(incoming_line(lot, qty=1), external_order_id=str(n), status=Status.PENDING))
        for n in range(3)
    ]
    lead = services.ship_together(order_ids=[order.pk for order in orders], now=_now())
    services.ship_alone(order_id=lead.pk, now=_now())
    assert Order.objects.filter(ships_with__isnull=False).count() == 1
    services.ship_order(order_id=lead.pk, now=_now())
    assert Order.objects.filter(status="SHIPPED").count() == 1


def test_a_parcel_whose_leader_is_cancelled_still_ships():
    lot, store = make_lot(qty=10), make_store()
    orders = [
        arrive(store, incoming(incoming_line(lot, qty=1), external_order_id=str(n), status=Status.PENDING))
        for n in range(2)
    ]
    lead = services.ship_together(order_ids=[order.pk for order in orders], now=_now())
    services.cancel_order(order_id=lead.pk, now=_now())
    [other] = [order for order in orders if order.pk != lead.pk]
    services.ship_order(order_id=other.pk, now=_now())
    assert _stock(lot) == (9, 0)


def test_orders_of_different_buyers_or_addresses_go_alone():
    lot, store = make_lot(qty=10), make_store()
    one = arrive(store, incoming(incoming_line(lot)))
    other = arrive(store, incoming(incoming_line(lot), external_order_id="2", buyer_email="", buyer_username="else"))
    with pytest.raises(Conflict):
        services.ship_together(order_ids=[one.pk, other.pk], now=_now())
    with pytest.raises(Invalid):
        services.ship_together(order_ids=[one.pk], now=_now())


def test_a_replacement_sends_pieces_again_for_nothing():
    lot = make_lot(qty=10)
    order = type_in((lot, 4), buyer_name="Ana", buyer_email="ana@example.com")
    line = order.lines.get()
    with pytest.raises(Conflict):
        services.create_replacement(order_id=order.pk, pieces=[(line.pk, 1)], now=_now())
    services.ship_order(order_id=order.pk, now=_now())

    again = services.create_replacement(order_id=order.pk, pieces=[(line.pk, 1)], now=_now())

    assert (again.replaces, again.grand_total, again.status) == (order, 0, "PENDING")
    assert _stock(lot) == (5, 1)
    services.ship_order(order_id=again.pk, now=_now())
    assert StockMovement.objects.filter(kind="SHIP", amount=None).count() == 1


def test_looking_in_vain_for_what_is_short_changes_nothing():
    order = type_in((make_lot(qty=0), 2))
    before = OrderLine.history.count(), Event.objects.count()
    services.reserve_again(order_id=order.pk, now=_now())
    version = order.version
    order.refresh_from_db()
    assert (order.version, OrderLine.history.count(), Event.objects.count()) == (version, *before)


# --- Taken back -----------------------------------------------------------------------------------------------------
def _deed(call):
    with change_set("test.deed") as deed:
        call()
    return deed.change_set_id


def test_the_revert_of_a_cancellation_reserves_again():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    deed = _deed(lambda: services.cancel_order(order_id=order.pk, now=_now()))

    start_revert(change_set_id=deed)

    order.refresh_from_db()
    assert order.status == "PENDING"
    assert _stock(lot) == (6, 4)
    assert verify_stock() == []


def test_the_revert_of_a_shipment_brings_the_pieces_back_to_their_place():
    place = make_location()
    lot = make_lot(qty=10, location=place)
    order = type_in((lot, 10))
    deed = _deed(lambda: services.ship_order(order_id=order.pk, now=_now()))
    assert not InventoryItemLocation.objects.exists()

    start_revert(change_set_id=deed)

    order.refresh_from_db()
    assert (order.status, order.shipped_at) == ("PENDING", None)
    assert _stock(lot) == (0, 10)
    assert InventoryItemLocation.objects.get().qty == 10
    services.ship_order(order_id=order.pk, now=_now())
    assert _stock(lot) == (0, 0)
    assert verify_stock() == []


def test_the_revert_of_changed_lines_moves_the_difference_back():
    lot, other = make_lot(qty=10), make_lot(item_no="3002", qty=10)
    order = type_in((lot, 3))
    line = order.lines.get()
    wanted = [NewLine(line_id=line.pk, lot_id=lot.pk, qty=1), NewLine(lot_id=other.pk, qty=2)]
    deed = _deed(lambda: services.set_lines(order_id=order.pk, lines=wanted, now=_now()))

    start_revert(change_set_id=deed)

    order.refresh_from_db()
    assert (_stock(lot), _stock(other)) == ((7, 3), (10, 0))
    assert order.grand_total == Decimal("0.36")


def test_the_revert_of_a_refund_that_moved_nothing_takes_it_back():
    order = type_in((make_lot(), 4))
    deed = _deed(lambda: services.refund_order(order_id=order.pk, amount=Decimal("0.10"), now=_now()))

    start_revert(change_set_id=deed)

    order.refresh_from_db()
    assert (order.refunded_total, order.payment_status, order.flags) == (0, "PAID", [])


def test_an_order_that_was_made_is_cancelled_not_deleted():
    lot = make_lot(qty=10)
    made = []
    deed = _deed(lambda: made.append(type_in((lot, 4))))
    with pytest.raises(Conflict):
        start_revert(change_set_id=deed)
    assert Order.objects.filter(pk=made[0].pk).exists()
    assert _stock(lot) == (6, 4)

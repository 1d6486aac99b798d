"""One person over all channels: known by address or user name, never by name; and forgotten for good."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit.context import change_set
from audit.recording import history_of
from audit.services import start_revert
from common.errors import Conflict
from inventory.testing import make_lot
from orders import services
from orders.lifecycle import Status
from orders.models import Buyer, BuyerIdentity, Order, OrderLine, Refund
from orders.testing import arrive, incoming, incoming_line, later, make_store

pytestmark = pytest.mark.django_db


def _order(store, number, **values):
    return arrive(store, incoming(incoming_line(make_lot()), external_order_id=str(number), **values))


def test_the_same_address_or_user_name_is_the_same_buyer():
    link, owl = make_store(), make_store("brickowl", "Owl")
    one = _order(link, 1, buyer_email="Jan@Example.com", buyer_username="jan")
    two = _order(owl, 2, buyer_email="jan@example.com ", buyer_username="owl-jan")
    three = _order(owl, 3, buyer_email="", buyer_username="OWL-JAN")
    assert one.buyer_id == two.buyer_id == three.buyer_id


def test_a_name_alone_is_nobody_and_a_user_name_counts_on_its_channel_only():
    link, owl = make_store(), make_store("brickowl", "Owl")
    one = _order(link, 1, buyer_email="", buyer_username="jan")
    other = _order(owl, 2, buyer_email="", buyer_username="jan")
    nameless = _order(owl, 3, buyer_email="", buyer_username="")
    assert one.buyer_id != other.buyer_id
    assert nameless.buyer is None


def test_two_buyers_are_merged_by_hand_and_come_apart_by_a_revert():
    link, owl = make_store(), make_store("brickowl", "Owl")
    one = _order(link, 1, buyer_email="", buyer_username="jan")
    other = _order(owl, 2, buyer_email="", buyer_username="owl-jan")
    services.set_buyer_notes(buyer_id=other.buyer_id, notes="Likes trains")
    with change_set("test.merge") as deed:
        kept = services.merge_buyers(buyer_id=one.buyer_id, other_id=other.buyer_id)
    assert kept.orders.count() == 2
    assert kept.notes == "Likes trains"
    assert _order(owl, 3, buyer_email="", buyer_username="owl-jan").buyer_id == kept.pk

    assert deed.change_set_id
    start_revert(change_set_id=deed.change_set_id)

    assert Order.objects.get(pk=other.pk).buyer_id == other.buyer_id
    assert Buyer.objects.count() == 2


def _everything_kept(word):
    """Answer the tables that still have the word in some row."""
    found = []
    for model in (Order, OrderLine, Buyer, BuyerIdentity, Refund):
        for table in (model._meta.db_table, history_of(model)._meta.db_table):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s", [f"%{word}%"])  # noqa: S608
                if cursor.fetchone()[0]:
                    found.append(table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM events_event")
        found += ["event" for (text,) in cursor.fetchall() if word in text]
    return found


def test_an_erased_buyer_is_nowhere_any_more_and_the_figures_stay():
    store = make_store()
    parcel = {"tracking_number": "3S0012", "tracking_url": "https://post.example/3S0012"}
    order = _order(store, 1, buyer_note="jangbricks asks", status=Status.SHIPPED, **parcel)
    services.update_order(order_id=order.pk, changes={"notes": "Jan Berg rang"}, now=timezone.now())
    services.set_buyer_notes(buyer_id=order.buyer_id, notes="Jan Berg pays late")
    services.refund_order(order_id=order.pk, reason="Jan Berg sent it back", now=timezone.now())
    assert _everything_kept("Jan Berg")
    total = order.grand_total

    services.erase_buyer(buyer_id=order.buyer_id, now=timezone.now())

    for word in ("Jan Berg", "jangbricks", "jan@example.com", "Musterweg", "030 1234", "3S0012"):
        assert _everything_kept(word) == []
    order.refresh_from_db()
    assert (order.grand_total, order.ship_country, order.lines.count()) == (total, "DE", 1)
    assert order.buyer.erased_at


def test_what_a_channel_still_tells_of_an_erased_buyer_is_not_kept():
    store = make_store()
    told = incoming(incoming_line(make_lot()), status=Status.SHIPPED)
    order = arrive(store, told)
    assert order.buyer_id
    services.erase_buyer(buyer_id=order.buyer_id, now=timezone.now())

    order = arrive(store, later(told, status=Status.COMPLETED, tracking_number="3S0012"))

    assert order.status == "COMPLETED"
    assert (order.buyer_name, order.buyer_email, order.ship_to, order.tracking_number) == ("", "", {}, "")
    assert not BuyerIdentity.objects.exists()


def test_nothing_is_erased_while_a_parcel_is_on_its_way_out():
    order = _order(make_store(), 1)
    with pytest.raises(Conflict):
        services.erase_buyer(buyer_id=order.buyer_id, now=timezone.now())


def test_an_erasure_is_not_reverted():
    order = _order(make_store(), 1, status=Status.SHIPPED)
    with change_set("test.erase") as deed:
        services.erase_buyer(buyer_id=order.buyer_id, now=timezone.now())
    assert deed.change_set_id
    with suppress(Conflict):
        start_revert(change_set_id=deed.change_set_id)
    order.refresh_from_db()
    assert (order.buyer_name, order.ship_to) == ("", {})
    assert not BuyerIdentity.objects.exists()


def test_who_bought_nothing_for_long_is_erased_and_others_are_not():
    store = make_store()
    old = _order(store, 1, status=Status.COMPLETED)
    waiting = _order(store, 2, buyer_email="b@example.com", buyer_username="b")
    later_on = timezone.now() + timedelta(days=400)
    recent = _order(
        store, 3, buyer_email="c@example.com", buyer_username="c", status=Status.SHIPPED, ordered_at=later_on
    )

    assert services.erase_old_buyers(before=later_on, now=timezone.now()) == 1

    erased = set(Buyer.objects.filter(erased_at__isnull=False).values_list("pk", flat=True))
    assert erased == {old.buyer_id}
    assert not {waiting.buyer_id, recent.buyer_id} & erased


def test_who_orders_again_is_a_new_customer():
    store = make_store()
    first = _order(store, 1, status=Status.SHIPPED)
    services.erase_buyer(buyer_id=first.buyer_id, now=timezone.now())
    again = _order(store, 2)
    assert again.buyer_id != first.buyer_id
    assert json.dumps(again.ship_to)

"""What is taken back is as it was: lots, pieces, places, and the books that explain them."""

from typing import Any

import pytest
from django.utils import timezone

from audit import services as audit
from audit.context import change_set
from audit.errors import NothingToRevert
from audit.services import HandedOver
from inventory import services
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.testing import make_location, make_lot
from inventory.tests.test_importing import _finish_jobs, bsx, imported, item

pytestmark = pytest.mark.django_db
_MOVING = ("version", "updated_at", "created_at")


def _stock() -> list[dict[str, Any]]:
    rows = InventoryItem.objects.order_by("id").values()
    return [{name: value for name, value in row.items() if name not in _MOVING} for row in rows]


def _placed() -> list[tuple[Any, ...]]:
    rows = InventoryItemLocation.objects.order_by("inventory_item", "location__code")
    return list(rows.values_list("inventory_item", "location__code", "qty"))


def _revert(change_set_id: Any) -> Any:
    done = audit.start_revert(change_set_id=change_set_id)
    if isinstance(done, HandedOver):
        _finish_jobs()
        return done.job_id
    return done.change_set_id


@pytest.mark.parametrize("count", [20, 260])
def test_an_import_is_taken_back_whole_and_done_again(count: int) -> None:
    old = make_lot(qty=5, remarks="here before", location=make_location("Z-1"))
    before, places = _stock(), _placed()
    lines = [item(ItemID=f"n{number}", Qty=number + 1, Remarks=f"A-{number % 40}-1") for number in range(count)]
    run = imported(bsx(item(Qty=9, Price="0.55"), *lines), read_locations=True)
    after, places_after = _stock(), _placed()
    assert len(after) == count + 1

    back = _revert(run.change_set_id)

    assert _stock() == before
    assert _placed() == places
    assert list(Location.objects.values_list("code", flat=True)) == ["Z-1"]
    assert services.verify_stock() == []
    old.refresh_from_db()
    assert old.qty_available == 5

    again = _revert(back)

    assert _stock() == after
    assert _placed() == places_after
    assert services.verify_stock() == []

    _revert(again)

    assert _stock() == before
    assert _placed() == places


def test_what_was_promised_meanwhile_stays_and_the_rest_goes() -> None:
    run = imported(bsx(*(item(ItemID=f"n{number}", Qty=10) for number in range(230))))
    kept = InventoryItem.objects.get(item_no="n7")
    services.reserve_stock(needs=[services.Need(kept.pk, 2, "order")], now=timezone.now())

    _revert(run.change_set_id)

    assert list(InventoryItem.objects.values_list("item_no", "qty_available", "qty_reserved")) == [("n7", 8, 2)]
    assert services.verify_stock() == []


def test_a_deletion_is_taken_back_with_places_and_pieces() -> None:
    lots = [
        make_lot(qty=number + 1, item_no=f"d{number}", location=make_location(f"D-{number}")) for number in range(5)
    ]
    before, places = _stock(), _placed()
    with change_set("inventory.delete_lots") as deed:
        services.delete_lots(lot_ids=[lot.pk for lot in lots], now=timezone.now())
    assert not InventoryItem.objects.exists()

    _revert(deed.change_set_id)

    assert _stock() == before
    assert _placed() == places
    assert services.verify_stock() == []


def test_a_merge_and_a_split_are_taken_back() -> None:
    first, second = make_lot(qty=5, remarks="a"), make_lot(qty=7, remarks="b")
    before = _stock()
    with change_set("inventory.merge_lots") as deed:
        services.merge_lots(target_id=first.pk, source_ids=[second.pk], now=timezone.now())
    _revert(deed.change_set_id)
    assert _stock() == before
    with change_set("inventory.split_lot") as deed:
        services.split_lot(lot_id=second.pk, qty=3, changes={"remarks": "c"}, now=timezone.now())
    _revert(deed.change_set_id)
    assert _stock() == before
    assert services.verify_stock() == []


def test_no_piece_comes_from_nowhere_where_one_side_of_an_exchange_has_moved_since() -> None:
    first, second = make_lot(qty=5, remarks="a"), make_lot(qty=7, remarks="b")
    with change_set("inventory.merge_lots") as merged:
        services.merge_lots(target_id=first.pk, source_ids=[second.pk], now=timezone.now())
    services.reserve_stock(needs=[services.Need(first.pk, 1, "order")], now=timezone.now())
    with pytest.raises(NothingToRevert):
        _revert(merged.change_set_id)
    assert not InventoryItem.objects.filter(pk=second.pk).exists()
    with change_set("inventory.split_lot") as split:
        new = services.split_lot(lot_id=first.pk, qty=4, changes={}, now=timezone.now())
    services.reserve_stock(needs=[services.Need(new.pk, 1, "other")], now=timezone.now())
    with pytest.raises(NothingToRevert):
        _revert(split.change_set_id)
    assert sum(lot.qty_available + lot.qty_reserved for lot in InventoryItem.objects.all()) == 12

"""A count makes what was found what is known, says what follows, and never takes what is promised."""

from typing import Any

import pytest
from django.utils import timezone

from common.errors import Conflict
from inventory import services
from inventory.errors import InsufficientStock
from inventory.models import InventoryItemLocation, StockMovement
from inventory.queries.counting import plan_count
from inventory.services import Need
from inventory.services.stock import write_placements
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def _qty(lot: Any) -> tuple[int, int]:
    lot.refresh_from_db()
    return lot.qty_available, lot.qty_reserved


def _placed(lot: Any) -> dict[str, int]:
    return dict(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("location__code", "qty"))


def test_a_count_sets_quantities_and_places() -> None:
    place = make_location("A-01")
    fewer, more, equal = (make_lot(qty=10, location=place, color_id=color) for color in (1, 5, 11))
    seen = dict.fromkeys((fewer.pk, more.pk, equal.pk), 10)
    services.count_location(location_id=place.pk, found={**seen, fewer.pk: 8, more.pk: 12}, now=NOW, seen=seen)
    assert (_qty(fewer), _qty(more), _qty(equal)) == ((8, 0), (12, 0), (10, 0))
    assert (_placed(fewer), _placed(more)) == ({"A-01": 8}, {"A-01": 12})
    kinds = StockMovement.objects.filter(kind="COUNT")
    assert kinds.count() == 2
    assert kinds.values("change_set_id").distinct().count() == 1
    place.refresh_from_db()
    assert place.last_counted_at == NOW
    assert services.verify_stock() == []


def test_what_turns_up_is_taken_for_the_unplaced_pieces_first() -> None:
    place = make_location("A-01")
    lot = make_lot(qty=10)
    [line] = plan_count(location_id=place.pk, found={lot.pk: 12}).lines
    assert (line.is_unexpected, line.qty_from_unplaced, line.qty_change, line.qty_after) == (True, 10, 2, 12)
    services.count_location(location_id=place.pk, found={lot.pk: 12}, now=NOW)
    assert _qty(lot) == (12, 0)
    assert _placed(lot) == {"A-01": 12}


def test_what_is_not_found_is_gone_from_there_and_other_places_stay() -> None:
    here, there = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    write_placements({(lot.pk, here.pk): 4, (lot.pk, there.pk): 6})
    [line] = plan_count(location_id=here.pk, found={}).differences
    assert line.qty_change == -4
    services.count_location(location_id=here.pk, found={lot.pk: 0}, now=NOW)
    assert _qty(lot) == (6, 0)
    assert _placed(lot) == {"A-02": 6}


def test_promised_pieces_are_not_counted_away() -> None:
    place = make_location("A-01")
    lot = make_lot(qty=10, location=place)
    services.reserve_stock(needs=[Need(lot.pk, 8, "order")], now=NOW)
    [line] = plan_count(location_id=place.pk, found={lot.pk: 5}).lines
    assert "8 pieces are promised to orders, and only 5 would be left" in line.problem
    with pytest.raises(InsufficientStock, match="promised to orders"):
        services.count_location(location_id=place.pk, found={lot.pk: 5}, now=NOW)
    services.count_location(location_id=place.pk, found={lot.pk: 8}, now=NOW)
    assert _qty(lot) == (0, 8)


def test_a_count_of_what_was_moved_meanwhile_is_refused() -> None:
    place = make_location("A-01")
    lot = make_lot(qty=10, location=place)
    with pytest.raises(Conflict, match="while you counted"):
        services.count_location(location_id=place.pk, found={lot.pk: 3}, seen={lot.pk: 9}, now=NOW)


def test_the_same_count_counts_once() -> None:
    place = make_location("A-01")
    lot = make_lot(qty=10, location=place)
    for _ in range(2):
        services.count_location(location_id=place.pk, found={lot.pk: 3}, now=NOW, cause_key="form-1")
    assert _qty(lot) == (3, 0)
    assert StockMovement.objects.filter(kind="COUNT").count() == 1


def test_a_lot_is_counted_over_all_its_places() -> None:
    here, there = make_location("A-01"), make_location("A-02")
    lot = make_lot(qty=10)
    write_placements({(lot.pk, here.pk): 4, (lot.pk, there.pk): 6})
    assert services.count_lot(lot_id=lot.pk, placed={here.pk: 9, there.pk: 1}, unplaced=2, now=NOW) == 2
    assert _qty(lot) == (12, 0)
    assert _placed(lot) == {"A-01": 9, "A-02": 1}
    with pytest.raises(Conflict, match="moved while you counted"):
        services.count_lot(lot_id=lot.pk, placed={}, unplaced=1, now=NOW, seen={here.pk: 4, there.pk: 6})
    assert services.verify_stock() == []

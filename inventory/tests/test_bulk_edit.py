"""Bulk edits: what the preview says is what happens, once, as one deed, also where a worker dies in between."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from audit.context import change_set, current_change_set_id
from audit.models import ChangeSet
from common.errors import Invalid
from common.testing.people import make_user
from events.models import Event
from inventory import services
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.services import Need, bulk_edit
from inventory.services.bulk_edit import Selection
from inventory.tasks.lots import run_bulk_edit, run_consolidation
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ALL = Selection(query="")


def _after(changes: dict[str, Any], selection: Selection = ALL) -> int:
    return services.edit_lots(selection=selection, changes=changes, now=NOW)


@pytest.mark.parametrize(
    ("wanted", "after"),
    [
        ({"how": "percent", "by": "5"}, "0.1050"), ({"how": "percent", "by": "-50"}, "0.0500"),
        ({"how": "amount", "by": "0.03"}, "0.1300"), ({"how": "times", "by": "1.25"}, "0.1250"),
        ({"how": "set", "by": "2"}, "2.0000"), ({"how": "percent", "by": "7", "round_to": "0.05"}, "0.1000"),
        ({"how": "percent", "by": "-90", "floor": "0.04"}, "0.0400"),
        ({"how": "times", "by": "100", "ceiling": "5"}, "5.0000"),
    ],
)  # fmt: skip
def test_prices_change_as_the_preview_says(wanted: dict[str, str], after: str) -> None:
    lot = make_lot(qty=100, unit_price=Decimal("0.10"))
    locked = make_lot(unit_price=Decimal("0.10"), price_locked=True)
    preview = services.preview_bulk_edit(selection=ALL, changes={"price": wanted}, now=NOW)
    differs = Decimal(after) != Decimal("0.10")
    assert (preview.chosen, preview.changing) == (2, int(differs))
    assert [(left.words, left.count) for left in preview.left] == [("The price is locked", 1)]
    assert preview.value_change == (Decimal(after) - Decimal("0.10")) * 100
    assert [example.after["unit_price"] for example in preview.examples] == [Decimal(after)] * differs
    assert _after({"price": wanted}) == int(differs)
    lot.refresh_from_db()
    locked.refresh_from_db()
    assert (lot.unit_price, locked.unit_price) == (Decimal(after), Decimal("0.10"))
    assert (lot.version, locked.version) == (1 + differs, 1)


def test_every_other_field_can_be_set_for_many() -> None:
    lot = make_lot(condition="USED", sub_condition="GOOD", remarks="bin 7", tier_prices=[{"qty": 5, "price": "0.10"}])
    sealed = make_lot(item_type="SET", item_no="1-1", color_id=None, completeness="SEALED")
    changes: dict[str, Any] = {
        "remarks": {"how": "replace", "find": "bin", "text": "box"}, "description": {"how": "append", "text": "fine"},
        "is_retain": True, "stock_room_id": "C", "low_stock_threshold": "5", "sale_percent": "10", "bulk": "2",
        "cost_basis": "0.05", "tier_prices": [], "reserved_for": "Ana", "category_name": "Brick", "item_name": "X",
        "price_locked": True, "condition": "USED",
    }  # fmt: skip
    preview = services.preview_bulk_edit(selection=ALL, changes=changes, now=NOW)
    assert [(left.words, left.count) for left in preview.left] == [("A used set isn't sealed", 1)]
    assert _after(changes) == 2
    lot.refresh_from_db()
    sealed.refresh_from_db()
    assert (lot.remarks, lot.description, lot.stock_room_id, lot.is_stock_room) == ("box 7", "fine", "C", True)
    assert (lot.low_stock_threshold, lot.sale_percent, lot.bulk, lot.tier_prices) == (5, 10, 2, [])
    assert (lot.cost_basis, lot.reserved_for, lot.item_name, lot.price_locked) == (Decimal("0.05"), "Ana", "X", True)
    assert (sealed.condition, sealed.is_retain) == ("NEW", True), "only what can't be is left out"
    assert _after({"condition": "NEW", "low_stock_threshold": "", "stock_room_id": ""}) == 2
    lot.refresh_from_db()
    assert (lot.condition, lot.sub_condition, lot.low_stock_threshold, lot.is_stock_room) == ("NEW", None, None, False)


def test_a_selection_is_what_was_ticked_or_what_the_filter_leaves() -> None:
    red, blue = make_lot(), make_lot(color_id=7)
    assert _after({"is_retain": True}, Selection(ids=(red.pk,))) == 1
    assert _after({"is_retain": True}, Selection(query="color=7&q=brick 3001")) == 1
    assert _after({"is_retain": True}, Selection(query="color=11")) == 0
    with pytest.raises(Invalid, match="Nobody knows"):
        _after({"is_retain": False}, Selection(query="colour=7"))
    blue.refresh_from_db()
    assert blue.is_retain


@pytest.mark.parametrize(
    "changes",
    [{}, {"unit_price": 1}, {"price": "5"}, {"price": {"how": "guess", "by": "1"}},
     {"price": {"how": "set", "by": "x"}},
     {"price": {"how": "set", "by": "1e400"}}, {"price": {"how": "times", "by": "1e-20000"}},
     {"remarks": {"how": "replace", "text": "x"}}, {"condition": "BROKEN"},
     {"bulk": "0"}, {"sale_percent": "101"}, {"location": "nowhere"}, {"stock_room_id": "D"}, {"cost_basis": "-1"},
     {"remarks": {"how": "set", "text": "x" * 5001}}, {"price": {"how": "percent", "by": "5", "round_to": "0"}}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_happens(changes: dict[str, Any]) -> None:
    lot = make_lot()
    with pytest.raises(Invalid):
        _after(changes)
    lot.refresh_from_db()
    assert lot.version == 1


def test_everything_moves_to_one_place_and_can_be_deleted_but_what_is_promised() -> None:
    old, new = make_location("A-1"), make_location("A-2")
    lot, promised, none = make_lot(qty=5, location=old), make_lot(qty=5), make_lot(qty=0)
    services.reserve_stock(needs=[Need(promised.pk, 2, "line")], now=NOW)
    preview = services.preview_bulk_edit(selection=ALL, changes={"location": str(new.pk)}, now=NOW)
    assert (preview.changing, preview.location) == (2, "A-2")
    assert [(left.words, left.count) for left in preview.left] == [("There is nothing to move", 1)]
    assert _after({"location": str(new.pk)}) == 2
    placed = InventoryItemLocation.objects.order_by("inventory_item").values_list("inventory_item", "location", "qty")
    assert set(placed) == {(lot.pk, new.pk, 5), (promised.pk, new.pk, 5)}
    assert _after({"location": str(new.pk)}) == 0

    preview = services.preview_bulk_edit(selection=ALL, changes={"delete": True}, now=NOW)
    assert (preview.changing, preview.left[0].count) == (2, 1)
    assert _after({"delete": True}) == 2
    assert list(InventoryItem.objects.values_list("pk", flat=True)) == [promised.pk]
    assert none.pk
    assert services.verify_stock() == []


def test_one_deed_with_one_undo() -> None:
    lots = [make_lot(unit_price=Decimal("0.10")) for _ in range(5)]
    with change_set("inventory.bulk_edit"):
        _after({"price": {"how": "times", "by": "2"}})
        deed = current_change_set_id()
    assert deed
    assert ChangeSet.objects.filter(pk=deed).count() == 1
    audit.revert(change_set_id=deed)
    assert set(InventoryItem.objects.values_list("unit_price", flat=True)) == {Decimal("0.10")}
    told = Counter(
        lot_id
        for event in Event.objects.filter(event_type="inventory.updated")
        for lot_id in event.payload["data"]["inventory_item_ids"]
    )
    assert told == {str(lot.pk): 2 for lot in lots}


class _Run:
    """What a job's function sees of its job: remembers its checkpoint, and dies where it is told to."""

    def __init__(self, *, dies_after: int | None = None) -> None:
        self.checkpoint: dict[str, Any] = {}
        self.job_id = "01900000-0000-7000-8000-000000000001"
        self._left = dies_after

    def progress(self, _done: int, _total: int | None = None, **_words: str) -> None:
        if self._left is not None:
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1

    def save_checkpoint(self, **values: Any) -> None:
        self.checkpoint = values


def test_a_long_edit_goes_on_where_a_dying_worker_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_edit, "CHUNK", 3)
    for _ in range(10):
        make_lot(unit_price=Decimal("1"))
    args: dict[str, Any] = {"selection": ALL.as_json(), "changes": {"price": {"how": "times", "by": "2"}}, "total": 10}
    run: Any = _Run(dies_after=2)
    with pytest.raises(KeyboardInterrupt):
        run_bulk_edit(run, **args)
    assert run.checkpoint["done"] == 6
    run._left = None
    result = run_bulk_edit(run, **args)
    assert result["message"] == "10 lots changed."
    assert set(InventoryItem.objects.values_list("unit_price", flat=True)) == {Decimal(2)}, "doubled once each"


def test_all_equal_lots_are_merged_and_promised_ones_stay() -> None:
    for _ in range(3):
        make_lot(qty=5, remarks="a")
    make_lot(qty=5, remarks="b")
    blue, other_blue = make_lot(color_id=7, qty=1), make_lot(color_id=7, qty=9)
    services.reserve_stock(needs=[Need(blue.pk, 1, "line")], now=NOW)
    make_lot(color_id=11)
    assert services.count_equal(["remarks"]) == (2, 3)
    assert services.count_equal([]) == (2, 4)
    with pytest.raises(Invalid):
        services.count_equal(["id"])
    run: Any = _Run()
    result = run_consolidation(run, fields=["remarks"], policy={"unit_price": "highest"}, total=2)
    assert result["message"] == "3 lots merged into 2."
    kept = InventoryItem.objects.get(color_id=7)
    assert (kept.pk, kept.qty_available, kept.qty_reserved) == (blue.pk, 9, 1)
    assert other_blue.pk
    assert InventoryItem.objects.count() == 4
    assert services.verify_stock() == []


def test_the_pages_lead_from_the_selection_to_one_toast(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    lot, other = make_lot(), make_lot(color_id=7)
    chosen = {"ids": f"{lot.pk} {other.pk}"}
    assert (
        "Change the price of 2 lots"
        in client.post(
            reverse("inventory:bulk"),
            {**chosen, "start": "price"},
            headers={"HX-Request": "true", "HX-Target": "dialog#sheet"},
        ).content.decode()
    )
    form = {**chosen, "start": "price", "price_how": "percent", "price_by": "10"}
    page = client.post(reverse("inventory:bulk_preview"), form)
    assert "Change 2 lots" in page.content.decode()
    done = client.post(
        reverse("inventory:bulk_apply"),
        {**chosen, "changes": '{"price": {"how": "percent", "by": "10"}}'},
        headers={"HX-Request": "true"},
    )
    assert '"undo_url": "/audit/' in done.headers["HX-Trigger"]
    assert client.post(reverse("inventory:bulk_preview"), {**form, "price_by": "much"}).status_code == 422
    assert client.post(reverse("inventory:bulk_apply"), {**chosen, "changes": "[]"}).status_code == 400
    assert client.post(reverse("inventory:bulk"), {"ids": "nonsense"}).status_code == 400

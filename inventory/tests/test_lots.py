"""Lots one by one: split, merged, put back, and what their pages let people do."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from audit.context import change_set, current_change_set_id
from audit.errors import NothingToRevert
from audit.services import State
from common.errors import Conflict, Invalid
from common.testing.people import make_user
from inventory import services
from inventory.models import InventoryItem, InventoryItemLocation, SavedView, StockMovement
from inventory.services import Need
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def owner(client: Client) -> Client:
    """Answer the owner's browser."""
    client.force_login(make_user(role="owner"))
    return client


def _htmx(client: Client, url: str, data: dict[str, str], target: str = "td") -> Any:
    return client.post(url, data, headers={"HX-Request": "true", "HX-Target": target})


# --- Editing in place -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "seen", "entry", "after"),
    [
        ("unit_price", "0.12", "+5%", Decimal("0.126")), ("unit_price", "0.12", "0,2", Decimal("0.2")),
        ("unit_price", "0.12", "*2", Decimal("0.24")), ("qty_available", "10", "+12", 22),
        ("qty_available", "10", "-3", 7), ("qty_available", "10", "=40", 40), ("remarks", "", "bin 7", "bin 7"),
        ("low_stock_threshold", "", "20", 20), ("low_stock_threshold", "", "", None),
    ],
)  # fmt: skip
def test_a_cell_understands_sums_and_can_be_undone(
    owner: Client, field: str, seen: str, entry: str, after: Any
) -> None:
    lot = make_lot(qty=10)
    before = getattr(lot, field)
    answer = _htmx(
        owner, reverse("inventory:edit", args=[lot.pk]), {"field": field, "seen": seen, "entry": entry, "cell": "1"}
    )
    assert answer.status_code == 200
    lot.refresh_from_db()
    assert getattr(lot, field) == after
    undo = re.search(r'"undo_url": "([^"]+)"', answer.headers.get("HX-Trigger", ""))
    assert bool(undo) == (before != after)
    if undo:
        assert owner.post(undo[1], headers={"HX-Request": "true"}).status_code == 200
        lot.refresh_from_db()
        assert getattr(lot, field) == before
    assert services.verify_stock() == []


@pytest.mark.parametrize(
    ("field", "entry", "words"),
    [("qty_available", "-11", "below 0"), ("unit_price", "cheap", "Type a number"), ("unit_price", "", "Type a number"),
     ("qty_available", "99999999999", "Type a number")],
)  # fmt: skip
def test_what_can_not_be_stays_in_the_cell_with_the_reason(owner: Client, field: str, entry: str, words: str) -> None:
    lot = make_lot(qty=10)
    seen = {"qty_available": "10", "unit_price": "0.12"}[field]
    data = {"field": field, "seen": seen, "entry": entry, "cell": "1"}
    answer = _htmx(owner, reverse("inventory:edit", args=[lot.pk]), data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert f'value="{entry}"' in answer.content.decode()


def test_whoever_comes_second_chooses_field_by_field(owner: Client) -> None:
    lot = make_lot(unit_price=Decimal("0.10"))
    services.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.20")}, now=NOW)
    url = reverse("inventory:edit", args=[lot.pk])
    answer = _htmx(owner, url, {"field": "unit_price", "seen": "0.10", "entry": "0.30", "cell": "1"})
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#dialog"
    page = answer.content.decode()
    assert all(f'value="{value}"' in page for value in ("0.10", "0.20", "0.30"))
    chosen = {"field": "unit_price", "seen.unit_price": "0.20", "value.unit_price": "0.30"}
    assert owner.post(reverse("inventory:resolve", args=[lot.pk]), chosen).status_code == 302
    lot.refresh_from_db()
    assert lot.unit_price == Decimal("0.30")
    # The same other field meanwhile is no conflict.
    services.update_lot(lot_id=lot.pk, changes={"remarks": "theirs"}, now=NOW)
    answer = _htmx(owner, url, {"field": "unit_price", "seen": "0.30", "entry": "0.40", "cell": "1"})
    assert answer.status_code == 200


def test_every_field_of_the_page_is_saved_by_itself(owner: Client) -> None:
    lot = make_lot(condition="USED", sub_condition="GOOD")
    entries = {
        "color_id": ("Red", "Blue", 7), "stock_room_id": ("", "B", "B"), "price_locked": ("", "on", True),
        "tier_prices": ("", "50: 0.11", [{"qty": 50, "price": "0.1100"}]), "is_retain": ("", "on", True),
        "item_name": ("Brick 2 x 4", "Brick", "Brick"), "description": ("", "a\r\nb", "a\nb"),
        "cost_basis": ("", "0.05", Decimal("0.05")), "condition": ("USED", "NEW", "NEW"),
        "weight_grams": ("", "2.32", Decimal("2.32")),
    }  # fmt: skip
    for field, (seen, entry, after) in entries.items():
        data = {"field": field, "seen": seen, "entry": entry}
        answer = _htmx(owner, reverse("inventory:edit", args=[lot.pk]), data, target="form")
        assert answer.status_code == 200, f"{field}: {answer.content.decode()[:500]}"
        lot.refresh_from_db()
        assert getattr(lot, field) == after
    assert (lot.is_stock_room, lot.sub_condition, lot.color_name) == (True, None, "Blue")


# --- Split, merge ---------------------------------------------------------------------------------------------------
def test_splitting_and_its_undo_move_pieces_and_places_both_ways() -> None:
    place = make_location()
    lot = make_lot(qty=10, location=place)
    with change_set("test.split"):
        new = services.split_lot(lot_id=lot.pk, qty=4, changes={"remarks": "torn"}, now=NOW, location_id=place.pk)
        deed = current_change_set_id()
    assert services.verify_stock() == []
    assert deed
    InventoryItemLocation.objects.filter(inventory_item=new.pk).delete()
    audit.revert(change_set_id=deed)
    lot.refresh_from_db()
    assert lot.qty_available == 10
    assert not InventoryItem.objects.filter(pk=new.pk).exists()
    assert services.verify_stock() == []


def test_merging_takes_pieces_places_and_fields_along() -> None:
    here, there = make_location("A-1"), make_location("A-2")
    kept = make_lot(qty=10, location=here, unit_price=Decimal("0.10"), remarks="one", cost_basis=Decimal("0.02"))
    other = make_lot(qty=30, location=there, unit_price=Decimal("0.20"), remarks="two", cost_basis=Decimal("0.06"))
    third = make_lot(qty=0, unit_price=Decimal("0.90"))
    with change_set("test.merge"):
        merged = services.merge_lots(
            target_id=kept.pk, source_ids=[other.pk, third.pk],
            policy={"unit_price": "weighted", "remarks": "joined"}, now=NOW,
        )  # fmt: skip
        deed = current_change_set_id()
    assert (merged.pk, merged.qty_available, merged.unit_price) == (kept.pk, 40, Decimal("0.1750"))
    assert (merged.remarks, merged.cost_basis) == ("one | two", Decimal("0.0500"))
    placed = InventoryItemLocation.objects.filter(inventory_item=kept.pk).order_by("location__code")
    assert list(placed.values_list("location__code", "qty")) == [("A-1", 10), ("A-2", 30)]
    assert InventoryItem.objects.count() == 1
    assert services.verify_stock() == []

    assert deed
    audit.revert(change_set_id=deed)
    kept.refresh_from_db()
    back = InventoryItem.objects.get(pk=other.pk)
    assert (kept.qty_available, kept.unit_price, kept.remarks) == (10, Decimal("0.10"), "one")
    assert (back.qty_available, back.remarks) == (30, "two")
    assert InventoryItem.objects.filter(pk=third.pk).exists()
    assert [d for d in services.verify_stock() if "lie at" not in d.what] == []


def test_merging_refuses_what_is_promised_and_what_is_something_else() -> None:
    kept, other, blue = make_lot(), make_lot(), make_lot(color_id=7)
    services.reserve_stock(needs=[Need(other.pk, 1, "line")], now=NOW)
    with pytest.raises(Conflict, match="promised to orders"):
        services.merge_lots(target_id=kept.pk, source_ids=[other.pk], now=NOW)
    with pytest.raises(Invalid):
        services.merge_lots(target_id=kept.pk, source_ids=[blue.pk], now=NOW)
    with pytest.raises(Invalid):
        services.merge_lots(target_id=kept.pk, source_ids=[kept.pk], now=NOW)
    # The one with promised pieces may stay.
    assert services.merge_lots(target_id=other.pk, source_ids=[kept.pk], now=NOW).qty_available == 19


# --- Putting back ---------------------------------------------------------------------------------------------------
def _deed(work: Any) -> Any:
    with change_set("test.deed"):
        work()
        return current_change_set_id()


def test_a_deleted_lot_comes_back_under_its_id_with_its_pieces() -> None:
    lot = make_lot(qty=10, remarks="bin 7")
    deed = _deed(lambda: services.delete_lots(lot_ids=[lot.pk], now=NOW))
    audit.revert(change_set_id=deed)
    back = InventoryItem.objects.get(pk=lot.pk)
    assert (back.qty_available, back.remarks) == (10, "bin 7")
    assert services.verify_stock() == []


def test_a_new_lot_goes_unless_its_pieces_moved_since() -> None:
    made: list[InventoryItem] = []
    deed = _deed(lambda: made.append(make_lot(qty=10)))
    lot = made[0]
    services.reserve_stock(needs=[Need(lot.pk, 3, "line")], now=timezone.now())
    plan = audit.preview_revert(change_set_id=deed)
    assert plan.entities[0].state is State.IMPOSSIBLE
    assert plan.entities[0].objection
    assert "3 pieces" in plan.entities[0].objection.reason
    services.release_stock(needs=[Need(lot.pk, 3, "line")], now=timezone.now())
    plan = audit.preview_revert(change_set_id=deed)
    assert plan.entities[0].objection
    assert "moved since" in plan.entities[0].objection.reason

    other: list[InventoryItem] = []
    deed = _deed(lambda: other.append(make_lot(qty=10)))
    audit.revert(change_set_id=deed)
    assert not InventoryItem.objects.filter(pk=other[0].pk).exists()
    assert services.verify_stock() == []


def test_what_an_order_did_to_a_quantity_follows_the_order_and_is_not_undone_by_itself() -> None:
    lot = make_lot(qty=10)
    deed = _deed(lambda: services.reserve_stock(needs=[Need(lot.pk, 3, "line")], now=NOW))
    plan = audit.preview_revert(change_set_id=deed)
    assert plan.entities[0].state is State.DONE
    with pytest.raises(NothingToRevert):
        audit.revert(change_set_id=deed)
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (7, 3)


# --- Pages ----------------------------------------------------------------------------------------------------------
def test_the_ledger_says_why_three_and_not_five(owner: Client) -> None:
    lot = make_lot(qty=5)
    services.reserve_stock(needs=[Need(lot.pk, 2, "line")], now=NOW)
    page = owner.get(f"{reverse('inventory:lot', args=[lot.pk])}?tab=movements").content.decode()
    assert "Reserved" in page
    assert "+5" in page
    move = StockMovement.objects.filter(inventory_item=lot.pk).latest("pk")
    assert reverse("audit:change_set", args=[move.change_set_id]) in page


@pytest.mark.parametrize("tab", ["overview", "movements", "history", "listings", "nonsense"])
@pytest.mark.parametrize("role", ["owner", "readonly", "picker"])
def test_each_role_sees_the_tabs_and_only_writers_see_controls(client: Client, role: str, tab: str) -> None:
    client.force_login(make_user(role=role))
    lot = make_lot(condition="USED", sub_condition="GOOD", price_locked=True)
    answer = client.get(f"{reverse('inventory:lot', args=[lot.pk])}?tab={tab}")
    assert answer.status_code == 200
    has_controls = reverse("inventory:edit", args=[lot.pk]) in answer.content.decode()
    assert has_controls == (role == "owner" and tab in {"overview", "nonsense"})


def test_adding_lots_one_after_the_other(owner: Client) -> None:
    place = make_location("B-1")
    url = reverse("inventory:add")
    entered = {"item_no": "3001", "color_id": "red", "qty_available": "12", "unit_price": "0.12", "item_type": "PART",
               "condition": "NEW", "location": "b-1", "next": "1"}  # fmt: skip
    answer = owner.post(url, entered)
    assert answer.status_code == 302
    lot = InventoryItem.objects.get()
    assert (lot.color_id, lot.qty_available) == (5, 12)
    assert InventoryItemLocation.objects.get().location_id == place.pk
    page = owner.get(answer.headers["Location"]).content.decode()
    assert "3001 · Red · New added: 12" in page
    assert 'value="b-1"' in page

    known = owner.get(reverse("inventory:known"), {**entered, "condition": "NEW"}).content.decode()
    assert "You have this lot already" in known
    owner.post(url, {**entered, "add_to": str(lot.pk), "qty_available": "3"})
    lot.refresh_from_db()
    assert lot.qty_available == 15
    assert InventoryItem.objects.count() == 1

    answer = owner.post(url, {**entered, "color_id": "no such", "qty_available": "", "location": "nowhere"})
    assert answer.status_code == 422
    assert "There is no color" in answer.content.decode()
    assert services.verify_stock() == []


def test_views_are_saved_shared_opened_first_and_forgotten(owner: Client, client: Client) -> None:
    make_lot()
    url = reverse("inventory:list")
    data = {"name": "My reds", "query": "color=5&sort=-price&cursor=x", "shared": "on", "default": "on"}
    assert owner.post(reverse("inventory:new_view"), data).status_code == 302
    view = SavedView.objects.get()
    assert (view.query, view.is_shared, view.is_default) == ("color=5&sort=-price", True, True)
    assert owner.post(reverse("inventory:new_view"), data).status_code == 422, "one name, one view"
    assert owner.get(url).headers["Location"] == f"{url}?color=5&sort=-price"
    assert owner.get(f"{url}?view=all").status_code == 200
    owner.post(reverse("inventory:view", args=[view.pk]), {"name": "Reds"})
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.is_default) == ("Reds", False, False)
    deed = _deed(lambda: services.delete_view(view_id=view.pk, owner_id=view.owner_id))
    assert deed
    assert not SavedView.objects.exists()
    client.force_login(make_user(role="admin"))
    assert client.post(reverse("inventory:delete_view", args=[view.pk])).status_code == 404


def test_the_list_tells_its_states_apart(owner: Client) -> None:
    url = reverse("inventory:list")
    assert "Your stock lives here" in owner.get(url).content.decode()
    make_lot(date_added=NOW - timedelta(days=1))
    assert "No lots match" in owner.get(f"{url}?color=7").content.decode()
    page = owner.get(f"{url}?color=7777&sort=nonsense&columns=price,margin,item").content.decode()
    assert page.count("unknown value") == 2
    assert "Margin" in page
    assert "Remarks</a>" not in page


def test_a_lot_is_found_by_the_palette(owner: Client) -> None:
    lot = make_lot(remarks="bin 77")
    page = owner.get(reverse("palette"), {"q": "3001 red"}).content.decode()
    assert reverse("inventory:lot", args=[lot.pk]) in page


# --- What leads on ---------------------------------------------------------------------------------------------------
def test_a_choice_made_in_the_list_leaves_one_there(owner: Client) -> None:
    lot = make_lot(unit_price=Decimal("0.20"))
    chosen = {"field": "unit_price", "seen.unit_price": "0.20", "value.unit_price": "0.30"}
    here = owner.get(reverse("inventory:list"), {"q": "3001"}).wsgi_request.build_absolute_uri()
    headers = {"HX-Request": "true", "HX-Target": "dialog#dialog", "HX-Current-URL": here}
    answer = owner.post(reverse("inventory:resolve", args=[lot.pk]), chosen, headers=headers)
    assert answer.status_code == 200
    assert {"toast", "lots:refresh"} <= set(json.loads(answer.headers["HX-Trigger"]))


def test_a_lot_is_merged_with_its_equals_from_its_page(owner: Client) -> None:
    lot, equal, _other = make_lot(qty=2), make_lot(qty=50), make_lot(color_id=7, qty=9)
    page = owner.get(reverse("inventory:merge_with", args=[lot.pk])).content.decode()
    assert page.count('type="checkbox" name="ids"') == 1
    ids = {"ids": [str(lot.pk), str(equal.pk)], "target": str(lot.pk)}
    asked = owner.post(reverse("inventory:merge"), ids).content.decode()
    assert re.search(rf'value="{lot.pk}" checked', asked)
    answer = owner.post(reverse("inventory:merge_apply"), {"ids": f"{lot.pk} {equal.pk}", "target": str(lot.pk)})
    assert answer.headers["Location"] == reverse("inventory:lot", args=[lot.pk])
    lot.refresh_from_db()
    assert lot.qty_available == 52


def test_different_things_are_refused_before_anything_is_asked(owner: Client) -> None:
    ids = f"{make_lot().pk} {make_lot(color_id=7).pk}"
    page = owner.post(reverse("inventory:merge"), {"ids": ids}).content.decode()
    assert "only equal things merge" in page
    assert 'name="target"' not in page


def test_a_movement_leads_to_what_caused_it(owner: Client) -> None:
    lot = make_lot(qty=10)
    made = services.split_lot(lot_id=lot.pk, qty=4, changes={}, now=NOW)
    page = owner.get(f"{reverse('inventory:lot', args=[made.pk])}?tab=movements").content.decode()
    assert f'href="{reverse("inventory:lot", args=[lot.pk])}">The other lot' in page


def test_what_the_log_says_is_not_offered_to_whom_it_is_closed(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    page = client.get(reverse("inventory:lot", args=[make_lot().pk])).content.decode()
    assert "tab=history" not in page
    assert "tab=movements" in page


def test_a_search_without_result_names_the_filter_in_the_way(owner: Client) -> None:
    make_lot(condition="NEW")
    page = owner.get(reverse("inventory:list"), {"q": "3001", "condition": "USED"}).content.decode()
    assert "No lots match these 2 filters" in page
    assert "1 matches without Used" in page
    assert "without “3001”" not in page


def test_the_history_tells_tier_prices_as_people_write_them(owner: Client) -> None:
    lot = make_lot(tier_prices=[{"qty": 50, "price": "0.1100"}])
    page = owner.get(reverse("audit:history", args=["InventoryItem", lot.pk])).content.decode()
    assert "50: 0.11" in page
    assert "&quot;price&quot;" not in page

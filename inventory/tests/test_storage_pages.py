"""The pages of storage do what they say, by plain links and forms, and refuse in words."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from common.testing.people import make_user
from inventory import services
from inventory.codes import location_payload, lot_payload
from inventory.models import InventoryItemLocation, Location, Purchase, PurchaseLine
from inventory.qr import shape_of
from inventory.testing import make_location, make_lot

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    """Answer the browser of somebody who keeps the stock."""
    client.force_login(make_user(role="staff"))
    return client


@pytest.fixture
def reader(client: Client) -> Client:
    """Answer the browser of somebody who only looks."""
    client.force_login(make_user(role="readonly"))
    return client


def _placed(lot: Any) -> dict[str, int]:
    return dict(InventoryItemLocation.objects.filter(inventory_item=lot).values_list("location__code", "qty"))


def _text(response: Any) -> str:
    text: str = response.content.decode()
    return text


# --- Locations ------------------------------------------------------------------------------------------------------
def test_the_list_shows_a_part_of_the_storage_by_its_address(staff: Client) -> None:
    services.generate_locations(first="A-01-1", last="B-01-2")
    page = _text(staff.get("/inventory/locations/?zone=A&q=-2"))
    assert "A-01-2" in page
    assert "A-01-1" not in page
    assert "Zone A" in page
    assert "1 location<" in page


def test_an_unknown_state_is_shown_as_a_chip_and_narrows_nothing(staff: Client) -> None:
    make_location("A-1")
    page = _text(staff.get("/inventory/locations/?state=nonsense"))
    assert "nonsense" in page
    assert "A-1" in page


def test_who_only_looks_sees_no_verbs_and_can_not_use_them(reader: Client) -> None:
    place = make_location("A-1")
    page = _text(reader.get("/inventory/locations/"))
    assert "/inventory/locations/generate/" not in page
    assert "sort_order" not in page
    assert "Delete" not in _text(reader.get(f"/inventory/locations/{place.pk}/"))
    for path in ("locations/move/", "locations/generate/", f"locations/{place.pk}/count/", "purchases/new/"):
        assert reader.get(f"/inventory/{path}").status_code == 403


def test_generating_shows_first_and_makes_then(staff: Client) -> None:
    make_location("A-01")
    page = _text(staff.get("/inventory/locations/generate/?first=A-01&last=A-30"))
    assert "29 new locations" in page
    assert "1 exists already" in page
    assert Location.objects.count() == 1
    staff.post("/inventory/locations/generate/", {"first": "A-01", "last": "A-30", "capacity": "3"})
    assert Location.objects.filter(capacity=3).count() == 29
    wrong = staff.post("/inventory/locations/generate/", {"first": "A-01", "last": "B"})
    assert wrong.status_code == 422
    assert "Both codes have the same parts" in _text(wrong)


def test_a_location_is_added_changed_and_deleted(staff: Client) -> None:
    staff.post("/inventory/locations/new/", {"code": "A-1", "is_active": "on"})
    again = staff.post("/inventory/locations/new/", {"code": "a-1", "is_active": "on"})
    assert again.status_code == 422
    assert "There is a location of that code" in _text(again)
    place = Location.objects.get(code="A-1")
    staff.post(f"/inventory/locations/{place.pk}/edit/", {"code": "A-2", "zone": "A", "aisle": "2", "capacity": "4"})
    place.refresh_from_db()
    assert (place.code, place.capacity, place.is_active) == ("A-2", 4, False)
    staff.post(f"/inventory/locations/{place.pk}/delete/")
    assert not Location.objects.exists()


def test_a_used_location_is_not_deleted_without_a_target(staff: Client) -> None:
    place, other = make_location("A-1"), make_location("A-2")
    lot = make_lot(location=place)
    refused = staff.post(f"/inventory/locations/{place.pk}/delete/")
    assert refused.status_code == 422
    assert "1 lot lies at A-1" in _text(refused)
    staff.post(f"/inventory/locations/{place.pk}/delete/", {"move_to": location_payload(other.code)})
    assert _placed(lot) == {"A-2": 10}


def test_a_number_is_typed_and_a_row_dragged(staff: Client) -> None:
    first, second = make_location("A-1"), make_location("A-2")
    staff.post(f"/inventory/locations/{first.pk}/route/", {"sort_order": "7"})
    first.refresh_from_db()
    assert first.sort_order == 7
    staff.post(f"/inventory/locations/{first.pk}/route/", {"before": str(second.pk)})
    assert list(Location.objects.order_by("route_key").values_list("code", flat=True)) == ["A-1", "A-2"]
    assert staff.post(f"/inventory/locations/{first.pk}/route/", {"sort_order": "x"}).status_code == 422


# --- Moving ---------------------------------------------------------------------------------------------------------
def test_pieces_are_moved_by_scanning_labels(staff: Client) -> None:
    make_location("A-1")
    make_location("A-2")
    lot = make_lot(qty=10)
    scan = {"source": "", "what": lot_payload(lot.pk), "qty": "", "target": location_payload("a-1")}
    staff.post("/inventory/locations/move/", scan)
    assert _placed(lot) == {"A-1": 10}
    moved = staff.post("/inventory/locations/move/", {"source": "A-1", "what": "3001", "qty": "4", "target": "A-2"})
    assert moved.status_code == 302
    assert "from=A-1" in moved["Location"]
    assert _placed(lot) == {"A-1": 6, "A-2": 4}


def test_the_wrong_label_is_refused_where_it_was_scanned(staff: Client) -> None:
    make_location("A-1")
    lot = make_lot()
    refused = _text(
        staff.post("/inventory/locations/move/", {"source": lot_payload(lot.pk), "what": "3001", "target": "A-1"})
    )
    assert "That is a lot&#x27;s label; scan a location." in refused
    refused = _text(staff.post("/inventory/locations/move/", {"what": location_payload("A-1"), "target": "A-1"}))
    assert "That is a location&#x27;s label" in refused


def test_a_number_of_several_lots_asks_which(staff: Client) -> None:
    make_location("A-1")
    red, blue = make_lot(color_id=5), make_lot(color_id=7)
    page = _text(staff.post("/inventory/locations/move/", {"what": "3001", "target": "A-1"}))
    assert lot_payload(red.pk) in page
    assert lot_payload(blue.pk) in page
    assert not InventoryItemLocation.objects.exists()


def test_what_is_put_away_lies_where_it_was_suggested(staff: Client) -> None:
    place = make_location("A-1")
    lot = make_lot(qty=10)
    page = _text(staff.get("/inventory/locations/put-away/"))
    wish = f"{lot.pk}:{place.pk}:10"
    assert wish in page
    staff.post("/inventory/locations/put-away/save/", {"put": [wish]})
    assert _placed(lot) == {"A-1": 10}
    assert "Everything has its place" in _text(staff.get("/inventory/locations/put-away/"))
    assert staff.post("/inventory/locations/put-away/save/", {"put": ["garbage"]}).status_code == 422


# --- Counting -------------------------------------------------------------------------------------------------------
def test_a_blind_count_hides_what_is_expected_until_it_is_compared(staff: Client) -> None:
    place = make_location("A-1")
    lot, other = make_lot(qty=37, location=place), make_lot(qty=5, color_id=11)
    url = f"/inventory/locations/{place.pk}/count/"
    assert "of 37" not in _text(staff.get(url))
    assert "of 37" in _text(staff.get(f"{url}?show=1"))
    added = _text(staff.post(url, {f"qty_{lot.pk}": "35", "what": lot_payload(other.pk), "what_qty": "5"}))
    assert f'name="qty_{other.pk}"' in added
    compared = _text(staff.post(url, {f"qty_{lot.pk}": "35", f"qty_{other.pk}": "5", "step": "compare"}))
    assert "2 differences" in compared
    assert "5 of them had no place until now" in compared
    accepted = {
        "step": "accept", "key": "k", "accept": [str(lot.pk)],
        f"qty_{lot.pk}": "35", f"seen_{lot.pk}": "37", f"qty_{other.pk}": "5", f"seen_{other.pk}": "0",
    }  # fmt: skip
    assert staff.post(url, accepted).status_code == 302
    lot.refresh_from_db()
    assert lot.qty_available == 35
    assert _placed(other) == {}


def test_a_count_that_is_no_number_is_shown_again(staff: Client) -> None:
    place = make_location("A-1")
    lot = make_lot(location=place)
    refused = staff.post(f"/inventory/locations/{place.pk}/count/", {f"qty_{lot.pk}": "many"})
    assert refused.status_code == 422
    assert "many" in _text(refused)


def test_a_lot_is_counted_at_all_its_places(staff: Client) -> None:
    place = make_location("A-1")
    lot = make_lot(qty=10, location=place)
    form = {f"qty_{place.pk}": "6", f"seen_{place.pk}": "10", "unplaced": "1", "key": "k"}
    assert staff.post(f"/inventory/lots/{lot.pk}/count/", form).status_code == 302
    lot.refresh_from_db()
    assert (lot.qty_available, _placed(lot)) == (7, {"A-1": 6})
    stale = staff.post(f"/inventory/lots/{lot.pk}/count/", {**form, "key": "k2"})
    assert stale.status_code == 422
    assert "moved while you counted" in _text(stale)


# --- Labels ---------------------------------------------------------------------------------------------------------
def test_labels_are_of_what_was_ticked_or_of_a_zone(staff: Client) -> None:
    services.generate_locations(first="A-1", last="B-2")
    one = Location.objects.get(code="A-2")
    ticked = _text(staff.get(f"/inventory/locations/labels/?zone=A&id={one.pk}&copies=3&size=a4-24"))
    assert ticked.count("<strong>A-2</strong>") == 3
    zone = _text(staff.get("/inventory/locations/labels/?zone=B"))
    assert (zone.count("qr-label"), "style=" in zone) == (2, False)


def test_a_code_is_drawn_as_a_square_of_rows() -> None:
    size, path = shape_of(location_payload("A-01-2"))
    assert size == 25
    assert path.startswith("M2 2h7v1h-7z")


# --- Purchases ------------------------------------------------------------------------------------------------------
def test_a_purchase_is_kept_and_lots_are_found_and_added(staff: Client) -> None:
    values = {"name": "Box", "purchase_date": "2026-01-05", "total_cost": "12.00", "spread": "PIECES"}
    staff.post("/inventory/purchases/new/", values)
    purchase = Purchase.objects.get()
    lot = make_lot(qty=24)
    page = _text(staff.get(f"/inventory/purchases/{purchase.pk}/?q=3001"))
    assert f"/inventory/purchases/{purchase.pk}/lots/{lot.pk}/" in page
    staff.post(f"/inventory/purchases/{purchase.pk}/lots/{lot.pk}/", {"qty": ""})
    line = PurchaseLine.objects.get()
    assert (line.qty, line.cost) == (24, Decimal("12.0000"))
    staff.post(f"/inventory/purchases/lines/{line.pk}/", {"qty": "12"})
    staff.post(f"/inventory/purchases/{purchase.pk}/edit/", {**values, "total_cost": "6.00"})
    lot.refresh_from_db()
    assert lot.cost_basis == Decimal("0.5000")
    staff.post(f"/inventory/purchases/lines/{line.pk}/", {"remove": "1"})
    staff.post(f"/inventory/purchases/{purchase.pk}/delete/")
    assert not Purchase.objects.exists()


def test_a_lot_is_added_to_a_purchase_from_its_own_page(staff: Client) -> None:
    lot = make_lot(qty=24)
    assert "No purchases yet" in _text(staff.get(f"/inventory/lots/{lot.pk}/purchase/"))
    purchase = services.create_purchase(
        values={"name": "Box", "purchase_date": date(2026, 1, 5), "total_cost": Decimal(3)}
    )
    staff.post(f"/inventory/lots/{lot.pk}/purchase/", {"purchase": str(purchase.pk), "qty": "4"})
    assert PurchaseLine.objects.get().qty == 4


def test_what_is_wrong_with_a_purchase_is_said(staff: Client) -> None:
    purchase = services.create_purchase(
        values={"name": "Box", "purchase_date": date(2026, 1, 5), "total_cost": Decimal(3)}
    )
    sold_out = make_lot(qty=0)
    refused = staff.post(f"/inventory/purchases/{purchase.pk}/lots/{sold_out.pk}/", {"qty": ""})
    assert refused.status_code == 422
    assert "There is no lot zzz" in _text(staff.get(f"/inventory/purchases/{purchase.pk}/?q=zzz"))


# --- Remarks --------------------------------------------------------------------------------------------------------
def test_the_page_of_remarks_asks_for_a_pattern_first(staff: Client) -> None:
    page = _text(staff.get("/inventory/locations/remarks/"))
    assert "No pattern yet" in page
    assert staff.post("/inventory/locations/remarks/start/", {"step": "read"}).status_code == 422

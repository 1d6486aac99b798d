"""At 20,000 lots no page and no list over HTTP reads all lots, movements or the trail (performance.md)."""

import pytest
from django.db import connection
from django.urls import reverse

from common.testing.plans import Explain, scans
from inventory.models import InventoryItem, Location
from inventory.queries.filters import Filters
from inventory.queries.lots import list_page
from inventory.tests.api import Program
from inventory.tests.conftest import Fill

pytestmark = pytest.mark.django_db

GROWING = (
    "inventory_inventoryitem", "inventory_stockmovement", "inventory_inventoryitemlocation",
    "inventory_historicalinventoryitem", "audit_changeset",
)  # fmt: skip

# What belongs to lots that were filled in without it: places, movements, history.
_AROUND = """
INSERT INTO inventory_location (id, created_at, updated_at, code, zone, aisle, shelf, bin, sort_order, route_key,
    is_active)
SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid, now(), now(), 'A-' || i, 'A', (i / 100)::text,
    '', '', 0, 'a' || lpad(i::text, 6, '0'), true FROM generate_series(1, 2000) i;
INSERT INTO inventory_inventoryitemlocation (id, created_at, updated_at, qty, inventory_item_id, location_id)
SELECT gen_random_uuid(), now(), now(), 1, t.id,
    ('01900000-0000-7000-9000-' || lpad(to_hex(1 + row_number() OVER () % 2000), 12, '0'))::uuid
FROM inventory_inventoryitem t WHERE qty_available > 0;
INSERT INTO audit_changeset (id, actor_type, actor_id, actor_name, action, reason, source, correlation_id, request_id,
    user_agent, created_at)
SELECT gen_random_uuid(), 'SYSTEM', '', 'Ana', 'inventory.update_lot', '', 'PAGE', '', '', '', now()
FROM generate_series(1, 20000);
INSERT INTO inventory_stockmovement (inventory_item_id, kind, delta_available, delta_reserved, balance_available,
    balance_reserved, cause_type, cause_id, cause_key, note, change_set_id, created_at)
SELECT id, 'INITIAL', 1, 0, 1, 0, '', '', id::text, '', gen_random_uuid(), now() FROM inventory_inventoryitem;
ANALYZE inventory_location, inventory_inventoryitemlocation, audit_changeset, inventory_stockmovement;
"""


@pytest.fixture
def full_shop(fill: Fill) -> None:
    """Have 20,000 lots with all that hangs on them."""
    fill(20_000)
    with connection.cursor() as cursor:
        cursor.execute(_AROUND)


def _plans(program: Program, path: str) -> tuple[list[str], str | None]:
    explain = Explain(*GROWING)
    with connection.execute_wrapper(explain):
        answer = program.get(path)
    assert answer.status_code == 200, (path, answer.content[:300])
    following = (
        answer.json()["next"] if answer["Content-Type"] == "application/json" and "next" in answer.json() else ""
    )
    return scans(explain.plans, *GROWING), following


@pytest.mark.usefixtures("full_shop")
def test_nothing_that_is_asked_for_reads_a_table_from_end_to_end() -> None:
    program = Program()
    lot = InventoryItem.objects.order_by("pk")[777].pk
    place = Location.objects.order_by("pk")[77].pk
    orders = (
        "item_no", "color_name", "condition", "category_name", "qty_available", "qty_reserved", "unit_price",
        "cost_basis", "location_key", "date_added", "last_sold_at", "updated_at", "low_stock_threshold",
    )  # fmt: skip
    paths = [f"/api/v1/inventory?ordering={sign}{name}" for name in orders for sign in ("", "-")]
    paths += [f"/api/v1/inventory?{query}" for query in ("q=technic+4501", "color=5", "location=A-77", "low=yes")]
    paths += [f"/api/v1/inventory/{lot}", f"/api/v1/inventory/{lot}/movements", "/api/v1/locations"]
    paths += [f"/api/v1/locations/{place}", "/api/v1/locations?search=A-77", "/api/v1/locations?state=used"]
    paths += [reverse("inventory:lot", args=[lot]), reverse("inventory:locations"), reverse("inventory:list")]
    paths += [reverse("inventory:location", args=[place])]
    paths += ["/search/?q=300", "/catalog/items/PART/3001/?color=5", "/inventory/?q=300121", "/inventory/?item_no=3001"]
    paths += ["/api/v1/search?q=300", "/api/v1/catalog/items/PART/3001/colors", "/inventory/add/items/?q=300121"]
    wrong = []
    for path in paths:
        found, following = _plans(program, path)
        if following:
            found += _plans(program, following)[0]
        wrong += [f"{path}\n{plan}" for plan in found]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.usefixtures("full_shop")
def test_few_lots_are_found_in_the_search_index_however_late_a_list_meets_them() -> None:
    explain = Explain(InventoryItem._meta.db_table)
    with connection.execute_wrapper(explain):
        assert len(list_page(Filters.parse({"q": "technic"})).rows) == 50
    assert "lot_search" in explain.plans[-1]

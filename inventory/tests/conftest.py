"""Lots in numbers, for tests of what holds at any size."""

from collections.abc import Callable

import pytest
from django.db import connection

# Like a real stock: many colors and categories, a third used, some low, locked, on sale, reserved, with cost.
_FILL = """
INSERT INTO inventory_inventoryitem (id, created_at, updated_at, version, item_type, item_no, item_name, category_name,
    color_id, color_name, condition, completeness, sub_condition, qty_available, qty_reserved, unit_price, currency,
    cost_basis, sale_percent, bulk, tier_prices, description, remarks, is_retain, is_stock_room, stock_room_id,
    low_stock_threshold, price_locked, price_lock_reason, reserved_for, acquired_from, date_added, last_sold_at, extra,
    location_key, weight_grams)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, now(), now() - i * interval '1 minute', 1,
    CASE WHEN i % 97 = 0 THEN 'SET' ELSE 'PART' END,
    ((i * 7919) % 12000)::text || CASE WHEN i % 97 = 0 THEN '-1' ELSE '' END,
    (ARRAY['Brick 2 x 4', 'Plate 1 x 2', 'Tile 2 x 2', 'Slope 45', 'Technic, Pin'])[1 + (i / 7) % 5],
    (ARRAY['Brick', 'Plate', 'Tile', 'Slope', 'Technic, Pin'])[1 + (i / 7) % 5],
    CASE WHEN i % 97 = 0 THEN NULL ELSE 1 + i % 12 END, CASE WHEN i % 97 = 0 THEN '' ELSE 'Color ' || (1 + i % 12) END,
    CASE WHEN i % 3 = 0 THEN 'USED' ELSE 'NEW' END, CASE WHEN i % 97 = 0 THEN 'COMPLETE' END,
    CASE WHEN i % 15 = 0 THEN 'GOOD' END, (i * 13) % 400, CASE WHEN i % 41 = 0 THEN 2 ELSE 0 END,
    0.01 + ((i * 37) % 900) / 300.0, 'EUR', CASE WHEN i % 2 = 0 THEN 0.01 + ((i * 31) % 500) / 300.0 END,
    CASE WHEN i % 211 = 0 THEN 10 ELSE 0 END, 1,
    CASE WHEN i % 103 = 0 THEN '[{"qty": 50, "price": "0.1000"}]' ELSE '[]' END::jsonb,
    CASE WHEN i % 9 = 0 THEN 'Some scratches' ELSE '' END, 'R' || (i % 900) || ' bin ' || (i % 77), i % 503 = 0,
    i % 307 = 0, CASE WHEN i % 307 = 0 THEN 'A' ELSE '' END, CASE WHEN i % 61 = 0 THEN 50 END, i % 151 = 0, '',
    CASE WHEN i % 701 = 0 THEN 'Ana' ELSE '' END, '', now() - (i % 900) * interval '1 day',
    CASE WHEN i % 3 <> 1 THEN now() - (i % 500) * interval '1 day' END, '{}',
    CASE WHEN i % 8 = 0 THEN '' ELSE 'a' || i END, CASE WHEN i % 11 = 0 THEN 0.1 + (i % 60) / 20.0 END
FROM generate_series(1, %s) i
""".replace(" % ", " %% ")

Fill = Callable[[int], None]


@pytest.fixture
def fill() -> Fill:
    """Answer what makes so many lots, without history and movements: for reading only."""

    def make(count: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [count])
            # Entries still pending in the search index make it look dear to the planner.
            cursor.execute("SELECT gin_clean_pending_list('lot_search'::regclass)")
            cursor.execute("ANALYZE inventory_inventoryitem")

    return make

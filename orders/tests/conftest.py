"""Orders in numbers, for tests of what holds at any size."""

from collections.abc import Callable

import pytest
from django.db import connection

from stores.queries import local_store

# Like a real shop of some years: nearly all is completed, a hundredth is on its way, few have a problem, and buyers
# come again. A filter that leaves a great part of all is counted by reading it, up to the limit.
_FILL = """
INSERT INTO orders_buyer (id, created_at, updated_at, version, name, email, notes, last_ordered_at)
SELECT ('01900000-0000-7000-9100-' || lpad(to_hex(i), 12, '0'))::uuid, now(), now(), 1, 'Buyer ' || i,
    'buyer' || i || '@example.com', '', now() - i * interval '10 minutes' FROM generate_series(1, {count} / 3) i;
INSERT INTO orders_order (id, created_at, updated_at, version, number, store_id, external_order_id, status,
    status_changed_at, channel_status, status_reason, buyer_id, buyer_name, buyer_email, buyer_username, buyer_note,
    ship_to, ship_country, shipping_method, currency, subtotal, shipping_cost, insurance, tax_amount, discount_amount,
    grand_total, refunded_total, payment_status, ordered_at, shipped_at, ship_by, notes, tags, flags, warnings,
    needs_attention, moves_stock, tracking_number, tracking_url)
SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid, now(), now(), 1, 1000000 + i, '{store}',
    'F' || i, CASE WHEN i % 100 = 0 THEN (ARRAY['NEW', 'PENDING', 'PICKING', 'READY'])[1 + (i / 100) % 4]
    WHEN i % 30 = 1 THEN 'SHIPPED' ELSE 'COMPLETED' END,
    now() - i * interval '10 minutes', '', '', ('01900000-0000-7000-9100-' ||
    lpad(to_hex(1 + i % ({count} / 3)), 12, '0'))::uuid, 'Buyer ' || (1 + i % ({count} / 3)),
    'buyer' || i || '@example.com', 'user' || i, '', '{{}}', CASE WHEN i % 30 = 2 THEN 'FR' ELSE 'DE' END, '', 'EUR',
    i % 90, 4, 0, 0, 0, i % 90 + 4, 0, 'PAID', now() - i * interval '10 minutes', now(),
    CASE WHEN i % 3 = 0 THEN now() - i * interval '9 minutes' END, '', CASE WHEN i % 500 = 0 THEN ARRAY['gift']
    ELSE ARRAY[]::varchar[] END, ARRAY[]::varchar[], '[]', i % 900 = 0, true,
    'TR' || (1000000 + i), ''
FROM generate_series(1, {count}) i;
INSERT INTO orders_orderline (id, created_at, updated_at, order_id, position, item_type, item_no, item_name, color_id,
    color_name, condition, completeness, description, external_line_id, external_lot_id, channel_key,
    external_item_no, external_color, qty_ordered, qty_reserved, qty_short, qty_picked, qty_missing, qty_shipped,
    qty_restocked, shipped_from, unit_price, line_total, status, stock_moves, inventory_item_id)
SELECT gen_random_uuid(), now(), now(), o.id, p, 'PART', ((o.number * 7 + p) % 9000)::text, 'Brick', 5, 'Red', 'NEW',
    '', '', '', '', '', '', '', 2, 0, CASE WHEN o.number % 5000 = 0 THEN 1 ELSE 0 END, 0, 0, 0, 0, '[]', 0.1, 0.2,
    'PENDING', 0, gen_random_uuid() FROM orders_order o, generate_series(1, 3) p;
ANALYZE orders_buyer, orders_order, orders_orderline;
SELECT gin_clean_pending_list('order_search'::regclass);
"""

Fill = Callable[[int], None]


@pytest.fixture
def fill() -> Fill:
    """Answer what makes so many orders of three lines, without history and stock: for reading only."""

    def make(count: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_FILL.format(count=count, store=local_store().pk))

    return make

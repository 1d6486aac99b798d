"""BrickLink's own file of orders received: an order's row, then its lines' without the order's."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from inventory.testing import make_lot
from orders.models import Order
from orders.testing import make_store
from orders.tests.test_files import imported, outcomes, preview, problems

pytestmark = pytest.mark.django_db

NAMES = (
    "Order ID,Order Date,Buyer,Base Currency,Shipping,Insurance,Add Chrg 1,Add Chrg 2,Credit,Coupon Credit,Order Total,"
    "Tax,Base Grand Total,Total Lots,Total Items,Order Status,Order Status Changed,Pmt In,Pmt Method,Order Note,"
    "Tracking No,Location,Batch,Batch Date,Condition,Item Description,Qty,Each,Total,Item Type,Item Number,Weight,"
    "Inv ID,Sub-Condition"
)
ORDER = (
    "9876543,3/11/2026 2:30:00 PM,brickfan,EUR,$4.50,$0.00,$0.50,$0.00,$1.00,$0.00,$128.12,$0.00,$132.12,2,13,Paid,"
    '3/11/2026,EUR,PayPal,Thanks &amp; bye,,"USA, Texas",,,,,,,,,,,,'
)
LINES = (
    "," * 22
    + "1,3/11/2026,New,Dark Bluish Gray Brick 2 x 4,12,$10.01,$120.12,Part,3001,2.3,4711,\n"
    + "," * 22
    + "1,3/11/2026,Used,Sea-Legs Tower &#40;nice&#41;,1,$8.00,$8.00,Set,6000-1,200,4712,C"
)


def file(*orders: str, names: str = NAMES) -> bytes:
    return "\n\n".join([names, *orders]).encode()


def test_its_orders_come_in_with_the_color_that_the_description_begins_with():
    lot = make_lot(qty=20, color_id=85)
    run = imported(file(ORDER, LINES))
    assert outcomes(run) == {"NEW": 1}
    made = Order.objects.get()
    assert (made.external_order_id, made.buyer_username, made.buyer_note) == ("9876543", "brickfan", "Thanks & bye")
    assert (made.status, made.payment_status, made.ship_country) == ("PENDING", "PAID", "US")
    # On the clocks of New York.
    assert made.ordered_at == datetime(2026, 3, 11, 18, 30, tzinfo=UTC)
    assert (made.subtotal, made.shipping_cost, made.discount_amount, made.grand_total) == (
        Decimal("128.12"), Decimal("5.00"), Decimal("1.00"), Decimal("132.12"),
    )  # fmt: skip
    first, second = made.lines.order_by("position")
    assert (first.inventory_item_id, first.color_id, first.qty_reserved) == (lot.pk, 85, 12)
    assert (second.item_type, second.item_no, second.completeness) == ("SET", "6000-1", "COMPLETE")
    assert second.item_name == "Sea-Legs Tower (nice)"
    assert outcomes(preview(file(ORDER, LINES))) == {"EQUAL": 1}


def test_cells_in_quotes_and_blank_lines_are_read_too():
    quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in (NAMES, ORDER.replace("USA, Texas", "USA"))]
    quoted[1] = quoted[1].replace('""USA""', '"USA"')
    assert outcomes(preview(file(quoted[1], LINES, names=quoted[0]))) == {"NEW": 1}


def test_a_connected_store_brings_its_orders_itself():
    make_store()
    assert "its orders come in by themselves" in problems(preview(file(ORDER, LINES)))[0][1]


def test_what_is_wrong_is_said_with_its_line():
    run = preview(file(ORDER, LINES.replace(",12,", ",twelve,"), ORDER.replace("3/11/2026 2", "31.3.2026 2"), ORDER))
    texts = dict(problems(run))
    assert "“twelve” isn't a number" in texts[5]
    assert "isn't a date as BrickLink writes it" in texts[8]
    assert "stands in line 3 already" in next(text for line, text in problems(run) if line == 10)


def test_orders_that_were_placed_are_none_that_were_received():
    run = preview(file(ORDER, LINES, names=NAMES.replace("Buyer", "Seller")))
    assert run.status != "PREVIEW"
    assert not Order.objects.exists()

"""At 20,000 orders no page and no list over HTTP reads all orders or lines (performance.md)."""

import pytest
from django.db import connection

from common.testing.plans import Explain, scans
from inventory.tests.api import Program
from orders.models import Buyer, Order
from orders.tests.conftest import Fill

pytestmark = pytest.mark.django_db

GROWING = ("orders_order", "orders_orderline")
PATHS = (
    "/orders/?tab=todo", "/orders/?view=all", "/orders/?tab=problem", "/orders/?tab=new", "/orders/?status=SHIPPED",
    "/orders/?q=F777", "/orders/?q=TR1000777", "/orders/?q=user777", "/orders/?q=buyer777%40example.com",
    "/orders/?item=777",
    "/orders/?country=FR", "/orders/?tag=gift", "/orders/?short=yes", "/orders/?sort=-total", "/orders/?sort=ship_by",
    "/orders/?sort=number", "/api/v1/orders", "/api/v1/orders?ordering=grand_total", "/orders/buyers/", "/",
    "/orders/of-item/?type=PART&no=777", "/search/?q=3001", "/api/v1/search?q=3001", "/search/palette/?q=F777",
)  # fmt: skip


def test_nothing_that_is_asked_for_reads_a_table_from_end_to_end(fill: Fill) -> None:
    fill(20_000)
    program = Program()
    order, buyer = Order.objects.order_by("pk")[777], Buyer.objects.order_by("pk")[77]
    wrong = []
    for path in (*PATHS, f"/orders/{order.pk}/", f"/orders/buyers/{buyer.pk}/", f"/api/v1/orders/{order.pk}/lines"):
        explain = Explain(*GROWING)
        with connection.execute_wrapper(explain):
            answer = program.get(path)
        assert answer.status_code == 200, (path, answer.content[:300])
        wrong += [f"{path}\n{plan}" for plan in scans(explain.plans, *GROWING)]
    assert not wrong, "\n\n".join(wrong)

"""Orders for the demo's shop: some dozens at its own counter, in every state, from the stock that it has."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from common import workspace
from inventory.models import InventoryItem
from orders import services
from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.lifecycle import Status
from orders.models import Order
from stores.queries import local_store

COUNT = 40
_BUYERS = (
    ("Ada Lindqvist", "ada.lindqvist", "Storgatan 12", "411 38", "Göteborg", "SE"),
    ("Jan Berg", "jangbricks", "Musterweg 4", "10115", "Berlin", "DE"),
    ("Tunde Okafor", "t.okafor", "14 Rowan Street", "LS6 1AB", "Leeds", "GB"),
    ("Łukasz Żółkiewski", "lukasz.z", "ul. Łódzka 5", "00-001", "Warszawa", "PL"),
    ("Ελένη Παπαδοπούλου", "eleni.p", "Οδός Ερμού 8", "105 63", "Αθήνα", "GR"),
    ("Camille Martin", "brickcamille", "8 rue des Lilas", "69003", "Lyon", "FR"),
    ("Sofia Marques", "sofia.m", "Rua Nova 27", "4000-102", "Porto", "PT"),
    ("Daniel Novak", "dnovak", "Vinohradská 3", "120 00", "Praha", "CZ"),
    ("Emma Visser", "emmabouwt", "Kerkstraat 91", "1017 GD", "Amsterdam", "NL"),
)
# The states of forty orders, the busiest first; each is reached by the steps that lead there.
_WAYS: tuple[tuple[int, tuple[Status, ...]], ...] = (
    (5, ()),
    # Six of them are picked then (picker.demo).
    (14, (Status.PENDING,)),
    (3, (Status.PENDING, Status.PICKING, Status.PACKING, Status.READY)),
    (6, (Status.PENDING, Status.SHIPPED)),
    (4, (Status.PENDING, Status.SHIPPED, Status.DELIVERED)),
    (4, (Status.PENDING, Status.SHIPPED, Status.COMPLETED)),
    (2, (Status.CANCELLED,)),
    (2, (Status.PENDING, Status.SHIPPED)),
)


def take_orders(*, now: datetime) -> int:
    """Have the demo's buyers order, unless they have already or there is nothing to buy; answer how many orders."""
    lots = list(InventoryItem.objects.filter(qty_available__gte=4, is_stock_room=False).order_by("pk")[:400])
    if Order.objects.exists() or not lots:
        return 0
    random = Random(7)  # noqa: S311  # a demo is the same each time
    ways = [way for count, way in _WAYS for _ in range(count)]
    made = []
    for index, way in enumerate(ways[:COUNT]):
        age = timedelta(hours=3 + index * 7)
        made.append(_order(index, lots, way, now=now - age, random=random))
    for order_id in made[-2:]:
        services.refund_order(order_id=order_id, reason="Sent back", restock=True, now=now)
    services.update_order(order_id=made[6], changes={"flags": ["problem"], "notes": "Asks for a box"}, now=now)
    services.update_order(order_id=made[7], changes={"tags": ["gift"]}, now=now)
    return len(made)


def _order(index: int, lots: list[InventoryItem], way: tuple[Status, ...], *, now: datetime, random: Random) -> UUID:
    name, user, street, postal, city, country = _BUYERS[index % len(_BUYERS)]
    chosen = random.sample(lots, k=random.randint(1, 9))
    lines = tuple(
        IncomingLine(
            qty=_qty(lot, index, place, random), unit_price=lot.unit_price, item_type=lot.item_type,
            item_no=lot.item_no, color_id=lot.color_id, condition=lot.condition,
            completeness=lot.completeness or "", item_name=lot.item_name, remarks=lot.remarks,
        )
        for place, lot in enumerate(chosen)
    )  # fmt: skip
    store = local_store()
    order = services.import_order(
        store_id=store.pk,
        incoming=IncomingOrder(
            external_order_id=f"M-{2100 + index}", as_of=now, ordered_at=now, lines=lines,
            currency=workspace.current().currency, status=Status.NEW, payment_status="PAID" if way else "UNPAID",
            paid_at=now if way else None, ship_by=now + timedelta(days=3), buyer_name=name,
            buyer_email=f"{user}@example.com", buyer_username=user, shipping_method="Letter, tracked",
            ship_to=Address(name=name, address1=street, postal=postal, city=city, country=country),
            shipping_cost=Decimal("4.50"),
        ),
        now=now,
    )  # fmt: skip
    for step, status in enumerate(way, start=1):
        services.change_status(order_id=order.pk, status=status, now=now + timedelta(hours=step))
    return order.pk


def _qty(lot: InventoryItem, index: int, place: int, random: Random) -> int:
    """Answer how many pieces; of one line more than there are, so that something is short."""
    if index == 5 and place == 0:  # noqa: PLR2004  # the one that can't be met
        return lot.qty_available + 2
    return random.randint(1, min(4, lot.qty_available))

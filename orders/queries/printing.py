"""What stands on the papers of an order, read for many at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from common import workspace
from inventory.queries.rows import places_of
from orders.models import Order, OrderLine
from orders.queries.details import address_lines

PictureKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line on paper."""

    item_type: str
    color_id: int | None
    item_no: str
    name: str
    color: str
    condition: str
    qty: int
    unit_price: Decimal
    total: Decimal
    place: str

    @property
    def picture_key(self) -> PictureKey:
        """Answer which picture shows it."""
        return self.item_type, self.item_no, self.color_id or 0


@dataclass(frozen=True, slots=True)
class Paper:
    """An order on paper, and whose shop it is from."""

    shop: str
    shop_address: tuple[str, ...]
    vat_text: str
    foot: str
    number: str
    own_number: int
    store: str
    placed_at: datetime
    shipped_at: datetime | None
    buyer: str
    address: tuple[str, ...]
    shipping_method: str
    is_replacement: bool
    together_with: tuple[str, ...]
    lines: tuple[PaperLine, ...]
    currency: str
    subtotal: Decimal
    shipping_cost: Decimal
    insurance: Decimal
    tax_amount: Decimal
    discount_amount: Decimal
    grand_total: Decimal
    refunded_total: Decimal

    @property
    def pieces(self) -> int:
        """Answer how many pieces there are."""
        return sum(line.qty for line in self.lines)


def papers_of(order_ids: Sequence[UUID]) -> list[Paper]:
    """Answer the orders as they are printed, in the order given; those that don't exist are left out. Four queries."""
    found = {order.pk: order for order in Order.objects.select_related("store").filter(pk__in=order_ids)}
    lines: dict[UUID, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(order__in=found, qty_ordered__gt=0).order_by("position"):
        lines[line.order_id].append(line)
    lots = {line.inventory_item_id for each in lines.values() for line in each if line.inventory_item_id}
    places = {lot: [place.code for place in found_places] for lot, found_places in places_of(lots).items()}
    leads = {order.ships_with_id or order.pk for order in found.values()}
    parcels: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for key, lead, number in Order.objects.filter(ships_with__in=leads).values_list(
        "pk", "ships_with", "external_order_id"
    ):
        if lead is not None:
            parcels[lead].append((key, number))
    for order in found.values():
        if order.pk in parcels:
            parcels[order.pk].insert(0, (order.pk, order.external_order_id))
    wanted = [found[key] for key in dict.fromkeys(order_ids) if key in found]
    return [_paper(order, lines[order.pk], places, parcels) for order in wanted]


def _paper(
    order: Order, lines: Sequence[OrderLine], places: dict[UUID, list[str]],
    parcels: dict[UUID, list[tuple[UUID, str]]],
) -> Paper:  # fmt: skip
    shop = workspace.current()
    rows = [_line(line, places) for line in lines]
    together = parcels.get(order.ships_with_id or order.pk, [])
    return Paper(
        shop=shop.name, shop_address=shop.address, vat_text=shop.vat_text, foot=shop.document_text,
        number=order.external_order_id, own_number=order.number, store=order.store.name, placed_at=order.ordered_at,
        shipped_at=order.shipped_at, buyer=order.buyer_name or order.buyer_username,
        address=tuple(address_lines(order)), shipping_method=order.shipping_method,
        is_replacement=order.replaces_id is not None,
        together_with=tuple(number for key, number in together if key != order.pk), lines=tuple(rows),
        currency=order.currency, subtotal=order.subtotal, shipping_cost=order.shipping_cost,
        insurance=order.insurance, tax_amount=order.tax_amount, discount_amount=order.discount_amount,
        grand_total=order.grand_total, refunded_total=order.refunded_total,
    )  # fmt: skip


def _line(line: OrderLine, places: dict[UUID, list[str]]) -> PaperLine:
    codes = places.get(line.inventory_item_id, []) if line.inventory_item_id else []
    condition = line.get_condition_display()
    if line.completeness:
        condition = f"{condition}, {line.get_completeness_display().lower()}"
    return PaperLine(
        # A channel's own number has no picture: elsewhere it may be another thing.
        line.item_type if line.item_no else "", line.color_id, line.item_no or line.external_item_no, line.item_name,
        line.color_name, condition, line.qty_ordered, line.unit_price, line.line_total, ", ".join(codes[:2]),
    )  # fmt: skip

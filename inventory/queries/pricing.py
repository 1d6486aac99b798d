"""What the price guide says of lots: by which key it has them, and its figures as prices are worked out from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce, JSONObject

from catalog import colors
from catalog.queries import pricing as guides
from catalog.queries.pricing import USED_FOR, KeptFigures, KeptGuide, PriceKey
from common import workspace
from inventory.models import InventoryItem, RepricingLine
from inventory.repricing import Figures, Guide


@dataclass(frozen=True, slots=True)
class Market:
    """Whose prices count: in which currency and region. `region`: empty for the world."""

    currency: str
    region: str = ""


def market() -> Market:
    """Answer whose prices count for this shop."""
    return Market(workspace.current().currency)


def key_of(lot: InventoryItem) -> PriceKey:
    """Answer by which key the price guide has what a lot is of."""
    return PriceKey(lot.item_type, lot.item_no, lot.color_id, lot.condition)


def guides_of(keys: Iterable[PriceKey]) -> Mapping[PriceKey, KeptGuide]:
    """Answer what is kept of things for this shop, however old. One query."""
    here = market()
    return guides.guides_of(keys, currency=here.currency, region=here.region)


@dataclass(frozen=True, slots=True)
class SoldFor:
    """What a lot's item was sold for in six months, by pieces. `price` is None where nothing was sold."""

    price: Decimal | None
    qty: int
    fetched_at: datetime
    is_old: bool


def with_sold(lots: "QuerySet[InventoryItem]") -> "QuerySet[InventoryItem]":
    """Answer the lots with what their items were sold for, however old, in the same query."""
    here = market()
    figures = guides.sold_figures(currency=here.currency, region=here.region).filter(
        item_no=OuterRef("item_no"), item_type=OuterRef("item_type"), condition=OuterRef("condition"),
        color_id=Coalesce(OuterRef("color_id"), Value(colors.NOT_APPLICABLE)),
    )  # fmt: skip
    # As text: JSON would make a float of an amount.
    price = Cast("price_qty_avg", TextField())
    found = figures.values(figures=JSONObject(price=price, qty="qty", fetched_at="fetched_at"))
    return lots.annotate(found_sold=Subquery(found[:1]))


def sold_read(lot: InventoryItem, *, now: datetime) -> SoldFor | None:
    """Answer what a lot of `with_sold` was sold for; None where nobody has asked."""
    read = getattr(lot, "found_sold", None)
    if read is None:
        return None
    fetched_at = datetime.fromisoformat(read["fetched_at"])
    price = Decimal(read["price"]) if read["price"] is not None and read["qty"] else None
    return SoldFor(price, read["qty"], fetched_at, is_old=fetched_at <= now - guides.FRESH_FOR)


def as_guide(kept: KeptGuide | None, *, now: datetime) -> Guide:
    """Answer figures as prices are worked out from them: those too old to be used are as if nobody had asked."""
    if kept is None:
        return Guide()
    return Guide(_figures(kept.sold, now=now), _figures(kept.stock, now=now))


def _figures(kept: KeptFigures | None, *, now: datetime) -> Figures | None:
    if kept is None or not kept.is_fresh(now=now, within=USED_FOR):
        return None
    return Figures(kept.price_min, kept.price_avg, kept.price_qty_avg, kept.price_max, kept.lots_count, kept.qty)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lot has its price: which run set it, when, and how it came about."""

    run_id: UUID
    name: str
    at: datetime
    price_before: Decimal
    steps: tuple[str, ...]


def explanation_of(lot: InventoryItem) -> Explanation | None:
    """Answer why a lot has its price; None where no repricing made it, or somebody has changed it since. One query."""
    line = (
        RepricingLine.objects.filter(lot_id=lot.pk, applied_at__isnull=False)
        .select_related("run")
        .order_by("-id")
        .first()
    )
    if line is None or line.price_after != lot.unit_price or line.applied_at is None:
        return None
    return Explanation(line.run_id, str(line.run), line.applied_at, line.price_before, tuple(line.steps))

"""What is kept of the price guide: the figures of many things at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from catalog import colors
from catalog.choices import ItemType, PriceKind
from catalog.models import PriceGuide

# So long figures are good; then they are asked for anew.
FRESH_FOR = timedelta(days=14)
# While nobody answers, or the budget is used up, prices are still made from what is no older than this.
USED_FOR = timedelta(days=30)

_TABLE = PriceGuide._meta.db_table
_COLUMNS = "price_min, price_avg, price_qty_avg, price_max, lots_count, qty, is_known, fetched_at"
_GUIDES = f"""
SELECT w.place, g.kind, {", ".join(f"g.{name}" for name in _COLUMNS.split(", "))}
FROM unnest(%s::int[], %s::text[], %s::text[], %s::int[], %s::text[]) w (place, item_type, item_no, color_id, condition)
JOIN {_TABLE} g ON g.item_no = w.item_no AND g.item_type = w.item_type
    AND g.color_id = w.color_id AND g.condition = w.condition
WHERE g.currency = %s AND g.region = %s
"""  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class PriceKey:
    """What the price guide tells apart, by BrickLink's numbers. `condition`: NEW or USED."""

    item_type: str
    item_no: str
    color_id: int | None
    condition: str

    @property
    def kept_color(self) -> int:
        """Answer its color as the table has it."""
        return self.color_id or colors.NOT_APPLICABLE

    @property
    def is_askable(self) -> bool:
        """Tell whether a price guide can have it."""
        return self.item_type != ItemType.CUSTOM


@dataclass(frozen=True, slots=True)
class KeptFigures:
    """One kind of figures. `is_known`: False where the source doesn't know the thing."""

    price_min: Decimal | None
    price_avg: Decimal | None
    price_qty_avg: Decimal | None
    price_max: Decimal | None
    lots_count: int
    qty: int
    is_known: bool
    fetched_at: datetime

    def is_fresh(self, *, now: datetime, within: timedelta = FRESH_FOR) -> bool:
        """Tell whether they needn't be asked for anew."""
        return self.fetched_at > now - within


@dataclass(frozen=True, slots=True)
class KeptGuide:
    """What is kept of a thing; None where nobody has asked yet."""

    sold: KeptFigures | None = None
    stock: KeptFigures | None = None

    def of(self, kind: PriceKind) -> KeptFigures | None:
        """Answer one kind of figures."""
        return self.sold if kind == PriceKind.SOLD else self.stock

    def missing(self, *, now: datetime, within: timedelta = FRESH_FOR) -> tuple[PriceKind, ...]:
        """Answer which kinds are to be asked for."""
        return tuple(
            kind for kind in PriceKind if not ((kept := self.of(kind)) and kept.is_fresh(now=now, within=within))
        )


def guides_of(keys: Iterable[PriceKey], *, currency: str, region: str = "") -> Mapping[PriceKey, KeptGuide]:
    """Answer what is kept of things, however old; those of which nothing is are left out. One query."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _GUIDES,
            [
                list(range(len(wanted))),
                [key.item_type for key in wanted],
                [key.item_no for key in wanted],
                [key.kept_color for key in wanted],
                [key.condition for key in wanted],
                currency,
                region,
            ],
        )
        rows = cursor.fetchall()
    found: dict[PriceKey, dict[str, KeptFigures]] = {}
    for place, kind, *values in rows:
        found.setdefault(wanted[place], {})[kind] = KeptFigures(*values)
    return {key: KeptGuide(**kinds) for key, kinds in found.items()}


def sold_figures(*, currency: str, region: str = "") -> "QuerySet[PriceGuide]":
    """Answer what things were sold for, to be composed: one at most by type, number, color (0: none) and condition."""
    return PriceGuide.objects.filter(currency=currency, region=region, kind=PriceKind.SOLD)


def guide_of(key: PriceKey, *, currency: str, region: str = "") -> KeptGuide:
    """Answer what is kept of one thing. One query."""
    return guides_of([key], currency=currency, region=region).get(key, KeptGuide())


def guides_of_item(
    item_type: str, item_no: str, *, currency: str, region: str = ""
) -> dict[tuple[int | None, str], KeptGuide]:
    """Answer what is kept of an item, by color (None for none) and condition. One query."""
    rows = PriceGuide.objects.filter(item_no=item_no, item_type=item_type, currency=currency, region=region)
    found: dict[tuple[int | None, str], dict[str, KeptFigures]] = {}
    for row in rows:
        figures = KeptFigures(*(getattr(row, name) for name in _COLUMNS.split(", ")))
        found.setdefault((row.color_id or None, row.condition), {})[row.kind] = figures
    return {key: KeptGuide(**kinds) for key, kinds in found.items()}

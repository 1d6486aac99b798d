"""What of the orders waits for somebody today."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, Sum
from django.urls import reverse
from django.utils import timezone

from orders.choices import OrderStatus
from orders.lifecycle import PROMISED
from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the work list: what waits, and where it is done."""

    words: str
    detail: str
    action: str
    url: str
    icon: str
    # These can be picked together at once, where that is possible here.
    is_to_pick: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What of the orders waits."""

    rows: tuple[Row, ...]

    @property
    def waits(self) -> bool:
        """Tell whether anything does."""
        return bool(self.rows)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _age(since: datetime, now: datetime) -> str:
    hours = int((now - since).total_seconds() // 3600)
    return f"oldest {hours} h" if hours < 48 else f"oldest {hours // 24} days"  # noqa: PLR2004  # two days in hours


def work() -> Work:
    """Answer what waits, each row with the list of exactly these orders. Three queries, from small indexes."""
    now = timezone.now()
    on_the_way = Order.objects.filter(status__in=sorted(PROMISED))
    counts = on_the_way.aggregate(
        new=Count("pk", filter=Q(status=OrderStatus.NEW)),
        to_pick=Count("pk", filter=Q(status=OrderStatus.PENDING)),
        oldest=Min("ordered_at", filter=Q(status=OrderStatus.PENDING)),
        to_pack=Count("pk", filter=Q(status=OrderStatus.PACKING)),
        to_ship=Count("pk", filter=Q(status=OrderStatus.READY)),
        late=Count("pk", filter=Q(ship_by__lt=now)),
        problem=Count("pk", filter=Q(needs_attention=True)),
    )
    pieces = OrderLine.objects.filter(order__status=OrderStatus.PENDING).aggregate(sum=Sum("qty_reserved"))["sum"]
    short = OrderLine.objects.filter(
        Q(qty_short__gt=0) | Q(qty_missing__gt=0), order__status__in=sorted(PROMISED)
    ).count()
    url = reverse("orders:list")
    rows = []
    if counts["to_pick"]:
        detail = f"{_counted(pieces or 0, 'piece')}, {_age(counts['oldest'], now)}"
        words = f"{_counted(counts['to_pick'], 'order')} to pick"
        rows.append(Row(words, detail, "Show", f"{url}?tab=to_pick", "shopping-basket", is_to_pick=True))
    if counts["late"]:
        words = f"{_counted(counts['late'], 'order')} past the day to ship"
        rows.append(Row(words, "", "Show", f"{url}?tab=todo&late=yes", "clock"))
    if counts["to_pack"]:
        words = f"{_counted(counts['to_pack'], 'order')} to pack"
        rows.append(Row(words, "", "Show", f"{url}?tab=to_pack", "package"))
    if counts["to_ship"]:
        rows.append(Row(f"{_counted(counts['to_ship'], 'order')} to ship", "", "Show", f"{url}?tab=to_ship", "truck"))
    if counts["new"]:
        words = f"{_counted(counts['new'], 'new order')} to clear"
        rows.append(Row(words, "", "Show", f"{url}?tab=new", "circle"))
    if short:
        rows.append(Row(f"{_counted(short, 'line')} short", "", "Solve", f"{url}?short=yes", "triangle-alert"))
    if counts["problem"] and not short:
        words = f"{_counted(counts['problem'], 'order')} with a problem"
        rows.append(Row(words, "", "Show", f"{url}?tab=problem", "triangle-alert"))
    return Work(tuple(rows))

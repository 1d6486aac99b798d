"""What things go for: asked once, kept for two weeks for all shops, within the budget that they share."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from catalog.choices import ItemType, PriceKind
from catalog.models import PriceGuide
from catalog.queries.pricing import FRESH_FOR, KeptGuide, PriceKey, guide_of
from catalog.services.connecting import connect, is_connected
from catalog.services.turns import a_place_to_wait, one_at_a_time
from catalog.sources import Can, registry
from catalog.sources.base import PriceFigures, PriceQuestion
from common import limits
from common.errors import ProviderUnavailable, RateLimited
from common.wire import CallClass

# Figures that nobody has asked for anew since are of no use to anybody.
KEPT_FOR = timedelta(days=90)
# A person who wants newer figures gets them, but not every minute.
REFRESHED_AFTER = timedelta(hours=1)
# A shop's share of what all shops have together.
_A_DAY = limits.Limit(name="price_guide", amount=2000, window_s=86_400)
_FIGURES = ("price_min", "price_avg", "price_qty_avg", "price_max", "lots_count", "qty")
_MOST, _DEAREST = 2**31 - 1, Decimal("99999999.9999")
_KEY = ["item_no", "item_type", "color_id", "condition", "currency", "region", "kind"]


def price_source() -> str | None:
    """Answer the code of the source that is asked for prices; None where none is connected."""
    for kind in registry.all():
        code = kind.spec.code
        if Can.PRICE_GUIDE in kind.spec.can and code in settings.CATALOG_SOURCES and is_connected(code):
            return code
    return None


def can_fetch_prices() -> bool:
    """Tell whether there is anybody to be asked for prices."""
    return price_source() is not None


def fetch_guide(
    *, key: PriceKey, currency: str, now: datetime, region: str = "", call_class: CallClass = CallClass.SPARE,
    within: timedelta = FRESH_FOR,
) -> KeptGuide:  # fmt: skip
    """Answer what a thing goes for, asked anew where what is kept is older than `within`.

    Not atomic: the source is asked outside of any transaction, a call for each kind of figures, and what it said is
    kept at once. That it doesn't know the thing, or that it was never sold, is kept too. Raises RateLimited
    (BudgetExhausted is one) with `retry_after` before anything is sent, and ProviderError, with nothing kept of what
    failed. Where nobody can be asked it answers what is kept.
    """
    kept, code = guide_of(key, currency=currency, region=region), price_source()
    if code is None or not key.is_askable:
        return kept
    for kind in kept.missing(now=now, within=within):
        name = f"price:{key.item_type}:{key.item_no}:{key.color_id}:{key.condition}:{currency}:{region}:{kind}"
        with a_place_to_wait() if call_class is CallClass.URGENT else nullcontext(), one_at_a_time(name):
            # Whoever was first has kept the answer by now.
            if kind in guide_of(key, currency=currency, region=region).missing(now=now, within=within):
                _ask(code, key, kind, currency=currency, region=region, call_class=call_class, now=now)
    return guide_of(key, currency=currency, region=region)


def _ask(
    code: str, key: PriceKey, kind: PriceKind, *, currency: str, region: str, call_class: CallClass, now: datetime
) -> None:
    verdict = limits.take(_A_DAY, "shop")
    if not verdict.allowed:
        raise RateLimited(
            "Your shop's share of today's calls for prices is used up.", retry_after=max(1, verdict.reset_s)
        )
    question = PriceQuestion(
        item_type=ItemType(key.item_type), item_no=key.item_no, color_id=key.color_id, condition=key.condition,
        kind=kind.value, currency=currency, region=region,
    )  # fmt: skip
    figures = connect(code, call_class=call_class).price_guide(question)
    if figures is not None and figures.currency != currency:
        label = registry.get(code).spec.label
        raise ProviderUnavailable(
            f"{label} answered prices in {figures.currency or 'no currency'}.", provider=code, operation="price_guide"
        )
    keep_figures(key=key, kind=kind, figures=figures, currency=currency, region=region, now=now)


def keep_figures(
    *, key: PriceKey, kind: PriceKind, figures: PriceFigures | None, currency: str, now: datetime, region: str = ""
) -> None:
    """Keep what a source said of a thing; None is that it doesn't know it."""
    values = {name: _held(getattr(figures, name)) for name in _FIGURES} if figures else {}
    row = PriceGuide(
        item_type=key.item_type, item_no=key.item_no, color_id=key.kept_color, condition=key.condition, region=region,
        currency=currency, kind=kind, is_known=figures is not None, fetched_at=now, **values,
    )  # fmt: skip
    PriceGuide.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=_KEY, update_fields=[*_FIGURES, "is_known", "fetched_at"]
    )


def _held(value: Decimal | int | None) -> Decimal | int | None:
    """Answer a figure as its column can hold it: somebody may offer a brick for a fortune."""
    return min(value, _MOST) if isinstance(value, int) else None if value is None else min(value, _DEAREST)


def forget_prices(*, now: datetime) -> int:
    """Delete figures that are too old to be of use; answer how many."""
    deleted, _ = PriceGuide.objects.filter(fetched_at__lt=now - KEPT_FOR).delete()
    return deleted

"""Makes a source ready to be asked, from the settings of the installation."""

from django.conf import settings

from catalog.services.budgets import SourceLedger
from catalog.sources import Source, registry
from common.wire import Breaker, Budget, CallClass


def is_connected(code: str) -> bool:
    """Tell whether the source may be asked: the installation has whatever credentials it wants."""
    place = settings.CATALOG_SOURCES.get(code)
    return place is not None and all(place.get(name) for name in registry.get(code).spec.credentials)


def connect(code: str, *, call_class: CallClass, total_s: float | None = None) -> Source:
    """Answer the source of that code for one use; its budget and breaker are those of all workers.

    `total_s`: less time for a call than the source is given of itself.
    """
    kind = registry.get(code)
    spec, place = kind.spec, settings.CATALOG_SOURCES[code]
    key = f"source:{code}"
    budget = Budget(
        key=key, label=spec.label, per_second=spec.per_second, burst=spec.burst, per_day=spec.per_day,
        ledger=SourceLedger(code),
    )  # fmt: skip
    return kind(
        url=place["url"], credentials={name: place[name] for name in spec.credentials}, budget=budget,
        breaker=Breaker(key=key), call_class=call_class, total_s=total_s,
    )  # fmt: skip

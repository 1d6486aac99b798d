"""Makes a source ready to be asked, from the settings of the installation."""

from django.conf import settings

from catalog.services.budgets import SourceLedger
from catalog.sources import Source, registry
from common.wire import Breaker, Budget, CallClass


def is_connected(code: str) -> bool:
    """Tell whether the source may be asked: it needs no key, or the installation has one."""
    return bool(settings.CATALOG_SOURCES[code]["key"]) or not registry.get(code).spec.needs_key


def connect(code: str, *, call_class: CallClass) -> Source:
    """Answer the source of that code for one use; its budget and breaker are those of all workers."""
    kind = registry.get(code)
    spec, place = kind.spec, settings.CATALOG_SOURCES[code]
    key = f"source:{code}"
    budget = Budget(
        key=key, label=spec.label, per_second=spec.per_second, burst=spec.burst, per_day=spec.per_day,
        ledger=SourceLedger(code),
    )  # fmt: skip
    return kind(url=place["url"], key=place["key"], budget=budget, breaker=Breaker(key=key), call_class=call_class)

"""What a list shows when it is not the truth of this moment: an older state, or with a part missing."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from sandbox.http import Request
from sandbox.sellers import Seller

T = TypeVar("T")


class Asked(Protocol):
    """Who asked, when."""

    @property
    def seller(self) -> Seller: ...
    @property
    def request(self) -> Request: ...
    @property
    def now_ms(self) -> int: ...


def as_of(call: Asked) -> int | None:
    """Answer of which time a list is to be; None for now."""
    if fault := call.request.fault_of("stale_read"):
        return call.now_ms - int(float(fault.options.get("seconds", 60)) * 1000)
    delay = int(call.seller.settings.get("eventual_ms", 0))
    return call.now_ms - delay if delay else None


def shortened(request: Request, rows: Iterable[T]) -> Iterator[T]:
    """Leave a part out where the list is to be too short: every so many, or all after so many."""
    fault = request.fault_of("short_list")
    if fault is None:
        yield from rows
        return
    most = int(fault.options["most"]) if "most" in fault.options else None
    every = int(fault.options.get("every", 0 if most is not None else 3))
    for place, row in enumerate(rows, start=1):
        if (most is not None and place > most) or (every and place % every == 0):
            continue
        yield row

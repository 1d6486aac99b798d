"""What runs in a worker: remarks read and written for all of the stock."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from inventory import services
from inventory.services import locations, remarks
from jobs.registry import job
from jobs.runner import Run

_PLACES_AT_ONCE = 50

Step = Callable[[UUID | None, Callable[[UUID, remarks.Tally], None]], tuple[UUID | None, remarks.Tally]]


def _all_lots(run: Run, step: Step) -> Counter[str]:
    """Do one chunk of lots after another, each with its place to go on in one transaction; answer what was done."""
    last = run.checkpoint.get("last")
    after = UUID(last) if last else None
    counts: Counter[str] = Counter(run.checkpoint.get("counts", {}))
    total = remarks.count_lots()

    def save(place: UUID, tally: remarks.Tally) -> None:
        counts.update(tally.as_data())
        run.save_checkpoint(last=str(place), counts=dict(counts))

    while True:
        after, _ = step(after, save)
        if after is None:
            return counts
        run.progress(min(sum(counts[name] for name in remarks.OUTCOMES), total), total, unit="lots")


@job(remarks.READ_JOB, label="Read locations from remarks", queue="bulk", permission="inventory:write")
def read_locations(run: Run, *, replace: bool = False, **_future: Any) -> dict[str, Any]:
    """Place lots where their remarks say."""
    done = _all_lots(run, lambda after, save: services.read_chunk(after=after, replace=replace, saves=save))
    return {
        "message": f"{done['changed']:,} lots placed, {done['new_locations']:,} locations made.",
        "counts": dict(done),
    }


@job(remarks.WRITE_JOB, label="Write locations into remarks", queue="bulk", permission="inventory:write")
def write_locations(run: Run, **_future: Any) -> dict[str, Any]:
    """Write where lots lie into their remarks."""
    done = _all_lots(run, lambda after, save: services.write_chunk(after=after, now=timezone.now(), saves=save))
    return {"message": f"Remarks of {done['changed']:,} lots written.", "counts": dict(done)}


@job(locations.ROUTE_JOB, label="Number the route", queue="bulk", permission="inventory:write")
def number_route(run: Run, *, location_id: str, before: str | None, **_future: Any) -> dict[str, Any]:
    """Put a location into the walk, then sort the lots at those that got another number, some at a time."""
    left = run.checkpoint.get("left")
    if left is None:
        with transaction.atomic():
            changed = services.number_route(location_id=UUID(location_id), before=UUID(before) if before else None)
            left = [str(key) for key in changed]
            run.save_checkpoint(left=left, total=len(left))
    total = int(run.checkpoint["total"])
    while left:
        services.sort_lots(location_ids=[UUID(key) for key in left[:_PLACES_AT_ONCE]])
        left = left[_PLACES_AT_ONCE:]
        run.save_checkpoint(left=left, total=total)
        run.progress(total - len(left), total, unit="locations")
    return {"message": f"{total:,} locations have other numbers."}

"""A job, an event and a subscriber of the embedder's own."""

from dataclasses import dataclass
from typing import Any

from events.bus import on
from events.schemas import Occurrence, Payload, event
from jobs.registry import job
from jobs.runner import Run

heard: list[Any] = []


@event("bricks.counted", public=False)
@dataclass(frozen=True, slots=True)
class BricksCounted(Payload):
    """Somebody counted bricks."""

    count: int


@on("bricks.counted")
def on_bricks_counted(occurrence: Occurrence) -> None:
    """Remember it."""
    heard.append(occurrence.data["count"])


@job("count_bricks", label="Count bricks", permission="inventory:read")
def count_bricks(run: Run, *, count: int) -> dict[str, Any]:
    """Count."""
    for number in range(count):
        run.progress(number + 1, count, unit="bricks")
    with run.file("bricks.txt", media_type="text/plain") as stream:
        stream.write(f"{count}\n".encode())
    return {"message": f"{count} bricks."}

"""Locations that a seller keeps in remarks: read into placements, and written back, chunk by chunk."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit import bulk, context
from common import workspace
from common.errors import Invalid
from events.bus import publish
from inventory.codes import CodeError, clean
from inventory.events import InventoryUpdated
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.remarks import Pattern, PatternError, compiled, shares
from inventory.services.checks import LENGTHS
from inventory.services.columns import write_column
from inventory.services.locations import locations_of
from inventory.services.stock import write_placements
from jobs import services as jobs
from jobs.models import JobRun

READ_JOB = "read_locations_from_remarks"
WRITE_JOB = "write_locations_to_remarks"
# Lots that one transaction takes.
CHUNK = 5000
# What can become of a lot; each is counted once.
OUTCOMES = ("changed", "equal", "placed", "inactive", "unreadable", "sold_out", "no_room", "without")


@dataclass(frozen=True, slots=True)
class Known:
    """The shop's locations by their codes in lower case; those not in use lead to None."""

    by_code: Mapping[str, UUID | None]

    def is_known(self, code: str) -> bool:
        """Tell whether there is a location of that code."""
        return code.lower() in self.by_code


@dataclass(slots=True)
class Tally:
    """What reading or writing remarks does, in numbers of lots, and the codes that don't exist yet."""

    counts: Counter[str] = field(default_factory=Counter)
    new_codes: dict[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, int]:
        """Answer the numbers by name, locations to come among them."""
        return {**self.counts, "new_locations": len(self.new_codes)}


def count_lots() -> int:
    """Answer how many lots there are."""
    return InventoryItem.objects.count()


@transaction.atomic
def start_reading(*, replace: bool, key: str = "") -> JobRun:
    """Have lots placed where their remarks say, in a worker. The same `key` is the same wish. Raises Invalid."""
    shop_pattern()
    return jobs.start(READ_JOB, key=key, args={"replace": replace})


@transaction.atomic
def start_writing(*, key: str = "") -> JobRun:
    """Have the places of all lots written into their remarks, in a worker. The same `key` is the same wish."""
    shop_pattern()
    return jobs.start(WRITE_JOB, key=key)


def shop_pattern() -> Pattern:
    """Answer the pattern of the shop at hand. Raises Invalid where it has none."""
    source = workspace.current().remarks_pattern
    if not source:
        raise Invalid("This shop has no pattern for remarks yet; set one in the settings.")
    try:
        return compiled(source)
    except PatternError as error:
        raise Invalid(str(error)) from None


def known_locations() -> Known:
    """Answer the locations that remarks can name."""
    rows = Location.objects.values_list("code", "id", "is_active")
    return Known({code.lower(): key if active else None for code, key, active in rows})


def _chunk(after: UUID | None, *, hold: bool = False) -> list[tuple[UUID, str, int]]:
    """Answer key, remarks and pieces of the next lots; `hold` keeps others off them until the transaction ends."""
    found = InventoryItem.objects.order_by("pk")
    if hold:
        found = found.select_for_update(of=("self",), no_key=True)
    if after is not None:
        found = found.filter(pk__gt=after)
    return [
        (key, remarks, available + reserved)
        for key, remarks, available, reserved in found.values_list("pk", "remarks", "qty_available", "qty_reserved")[
            :CHUNK
        ]
    ]


def _chunks() -> Iterator[list[tuple[UUID, str, int]]]:
    after = None
    while rows := _chunk(after):
        yield rows
        after = rows[-1][0]


def _placements(rows: Sequence[tuple[UUID, str, int]]) -> "QuerySet[InventoryItemLocation]":
    """Answer what lies where of a chunk, which is all lots between its first and its last."""
    return InventoryItemLocation.objects.filter(inventory_item__gte=rows[0][0], inventory_item__lte=rows[-1][0])


def _placed(chunk: Sequence[tuple[UUID, str, int]]) -> dict[UUID, dict[UUID, int]]:
    placed: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    rows = _placements(chunk)
    for lot, place, qty in rows.values_list("inventory_item", "location", "qty"):
        placed[lot][place] = qty
    return placed


# --- Reading --------------------------------------------------------------------------------------------------------
def preview_reading(*, replace: bool) -> Tally:
    """Answer what `read_chunk` would do with all lots. Reads only."""
    pattern, known, tally = shop_pattern(), known_locations(), Tally()
    for rows in _chunks():
        _wanted(rows, pattern, known, tally, replace=replace)
    return tally


def _wanted(
    rows: Sequence[tuple[UUID, str, int]], pattern: Pattern, known: Known, tally: Tally, *, replace: bool
) -> dict[UUID, dict[str, int]]:
    """Answer how many pieces of which lot belong to which code, and count."""
    placed = _placed(rows)
    wanted: dict[UUID, dict[str, int]] = {}
    for lot, remarks, qty in rows:
        found = pattern.read(remarks, is_known=known.is_known) if remarks else None
        if found is None:
            tally.counts["without"] += 1
            continue
        if not all(_is_code(code) for code, _ in found.codes):
            tally.counts["unreadable"] += 1
            continue
        codes = {code.lower() for code, _ in found.codes}
        here = placed.get(lot, {})
        if any(code in known.by_code and known.by_code[code] is None for code in codes):
            tally.counts["inactive"] += 1
        elif here and here.keys() == {known.by_code.get(code) for code in codes} and sum(here.values()) == qty:
            tally.counts["equal"] += 1
        elif here and not replace:
            tally.counts["placed"] += 1
        elif not qty:
            tally.counts["sold_out"] += 1
        else:
            tally.counts["changed"] += 1
            wanted[lot] = shares([(code.lower(), pieces) for code, pieces in found.codes], qty)
            for code, _ in found.codes:
                if code.lower() not in known.by_code:
                    tally.new_codes.setdefault(code.lower(), code)
    return wanted


def _is_code(code: str) -> bool:
    try:
        clean(code)
    except CodeError:
        return False
    return True


@transaction.atomic
def read_chunk(*, after: UUID | None, replace: bool, saves: Callable[[UUID, Tally], None]) -> tuple[UUID | None, Tally]:
    """Place the next lots after `after` where their remarks say, making locations that don't exist; answer the last lot
    of them (None: there are no more) and what was done.

    `replace`: also lots that lie somewhere already. What fits isn't asked: the pieces lie there, and a place that holds
    too many shows it. `saves(last, tally)` remembers in the same transaction how far this is.
    """
    context.describe("inventory.read_locations_from_remarks")
    rows, tally = _chunk(after, hold=True), Tally()
    if not rows:
        return None, tally
    pattern, known = shop_pattern(), known_locations()
    wanted = _wanted(rows, pattern, known, tally, replace=replace)
    keys = {**known.by_code, **_make_locations(tally.new_codes)}
    placed = _placed(rows)
    quantities: dict[tuple[UUID, UUID], int] = {}
    for lot, by_code in wanted.items():
        quantities |= {(lot, place): 0 for place in placed.get(lot, {})}
        quantities |= {(lot, place): qty for code, qty in by_code.items() if (place := keys[code])}
    write_placements(quantities)
    if wanted:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(wanted))))
    saves(rows[-1][0], tally)
    return rows[-1][0], tally


def _make_locations(codes: Mapping[str, str]) -> dict[str, UUID]:
    made = list(locations_of(codes.values()))
    if made:
        bulk.bulk_create(Location, made)
    return {location.code.lower(): location.pk for location in made}


# --- Writing --------------------------------------------------------------------------------------------------------
def preview_writing() -> Tally:
    """Answer what `write_chunk` would do with all lots. Reads only."""
    pattern, known, tally = shop_pattern(), known_locations(), Tally()
    for rows in _chunks():
        _written(rows, pattern, known, tally)
    return tally


def _written(rows: Sequence[tuple[UUID, str, int]], pattern: Pattern, known: Known, tally: Tally) -> dict[UUID, str]:
    """Answer the new remarks of the lots that get other ones, and count."""
    codes: dict[UUID, list[str]] = defaultdict(list)
    places = _placements(rows).filter(qty__gt=0)
    ordered = places.order_by("location__route_key", "location_id")
    for lot, code in ordered.values_list("inventory_item", "location__code"):
        codes[lot].append(code)
    texts: dict[UUID, str] = {}
    for lot, remarks, _ in rows:
        if lot not in codes:
            tally.counts["without"] += 1
            continue
        text = pattern.write(remarks, codes[lot], is_known=known.is_known)
        if text is None or len(text) > LENGTHS["remarks"]:
            tally.counts["no_room"] += 1
        elif text == remarks:
            tally.counts["equal"] += 1
        else:
            tally.counts["changed"] += 1
            texts[lot] = text
    return texts


@transaction.atomic
def write_chunk(
    *, after: UUID | None, now: datetime, saves: Callable[[UUID, Tally], None]
) -> tuple[UUID | None, Tally]:
    """Write the places of the next lots after `after` into their remarks; answer the last lot of them (None: there are
    no more) and what was done. Lots without a place keep what they have. `saves(last, tally)`: as in `read_chunk`."""
    context.describe("inventory.write_locations_to_remarks")
    rows, tally = _chunk(after, hold=True), Tally()
    if not rows:
        return None, tally
    texts = _written(rows, shop_pattern(), known_locations(), tally)
    write_column("remarks", texts, now=now)
    if texts:
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(texts))))
    saves(rows[-1][0], tally)
    return rows[-1][0], tally

"""What can be done to how a shop picks: from which place lots are taken, what a scale may be off, the map."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import bulk, context
from common.errors import Invalid, StaleVersion
from inventory.models import Location
from picker.choices import Layout, WhereFrom
from picker.models import MapPoint, PickingSetup
from picker.queries.maps import aisle_label

EDITABLE = frozenset(
    {
        "where_from", "weight_tolerance", "layout", "aisles", "blocks", "spacing", "length", "depot_aisle",
        "depot_x", "depot_y",
    }
)  # fmt: skip
MOST_AISLES, MOST_BLOCKS, MOST_TOLERANCE = 200, 9, 50
# Metres. What is farther than this was typed in centimeters.
MOST_SPACING, MOST_LENGTH, FARTHEST = Decimal(50), Decimal(500), Decimal(1000)
_NAME_LENGTH = 20
_CENT = Decimal("0.01")

Coordinates = tuple[Decimal, Decimal]
Errors = dict[str, list[str]]


@transaction.atomic
def save_setup(
    *, values: Mapping[str, Any], points: Mapping[UUID, Coordinates] | None = None, expected_version: int | None = None
) -> PickingSetup:
    """Change how the shop picks; what `values` leaves out stays.

    `values`: by name of the column; `aisles` as [{"zone": "A", "aisle": "1"}] from the left to the right, metres as
    Decimals. `points`: where every place of a free layout is, by location; those left out are nowhere from now on, and
    None leaves all as they are. `expected_version`: what the caller saw; None compares nothing. Raises Invalid with
    errors by field for maps that make no sense, StaleVersion.
    """
    if unknown := set(values) - EDITABLE:
        raise ValueError(f"picking has no {', '.join(sorted(unknown))} to set")
    context.describe("picker.save_setup")
    setup = _locked()
    if expected_version is not None and expected_version != setup.version:
        raise StaleVersion(
            "Somebody else changed the picking settings meanwhile. Look at them and save again.",
            current_version=setup.version,
        )
    before = _columns(setup)
    for name, value in values.items():
        setattr(setup, name, value)
    after = _columns(setup)
    if errors := _errors(setup, has_new_aisles=before["aisles"] != after["aisles"]):
        raise Invalid(errors=errors)
    moved = _place(points) if points is not None else 0
    if setup.layout == Layout.FREE and (errors := _free_errors(setup)):
        raise Invalid(errors=errors)
    if before != after or moved:
        setup.version += 1
        setup.save()
    return setup


def _locked() -> PickingSetup:
    """Answer the one row, made where there is none yet, that nobody else changes until the transaction ends."""
    found = PickingSetup.objects.select_for_update().first()
    if found is None:
        try:
            with transaction.atomic():
                return PickingSetup.objects.create()
        except IntegrityError:
            return PickingSetup.objects.select_for_update().get()
    return found


def _columns(setup: PickingSetup) -> dict[str, Any]:
    return {name: getattr(setup, name) for name in EDITABLE}


# --- Points of free layouts -----------------------------------------------------------------------------------------
def _place(points: Mapping[UUID, Coordinates]) -> int:
    """Have the places be at these points, and all others nowhere; answer how many of them have moved."""
    wanted = {key: _rounded(at) for key, at in points.items()}
    if Location.objects.filter(pk__in=wanted).count() < len(wanted):
        raise Invalid(errors={"/points": ["A location of these no longer exists. Open the page again."]})
    present = {point.location_id: point for point in MapPoint.objects.all()}
    gone = [point.pk for key, point in present.items() if key not in wanted]
    new = [MapPoint(location_id=key, x=x, y=y) for key, (x, y) in wanted.items() if key not in present]
    moved = []
    for key, (x, y) in wanted.items():
        point = present.get(key)
        if point is not None and (point.x, point.y) != (x, y):
            point.x, point.y = x, y
            moved.append(point)
    bulk.bulk_delete(MapPoint.objects.filter(pk__in=gone))
    bulk.bulk_create(MapPoint, new)
    bulk.bulk_update(MapPoint, moved, fields=["x", "y"])
    return len(gone) + len(new) + len(moved)


def _rounded(at: Coordinates) -> Coordinates:
    x, y = at
    if not (x.is_finite() and y.is_finite() and abs(x) <= FARTHEST and abs(y) <= FARTHEST):
        raise Invalid(errors={"/points": [_FAR]})
    return x.quantize(_CENT), y.quantize(_CENT)


# --- Maps that make no sense ----------------------------------------------------------------------------------------
_FAR = f"Places lie within {FARTHEST:,} m of the plan's corner. Are these centimeters?"


_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "where_from": (lambda value: value in WhereFrom.values, "Choose one of these."),
    "layout": (lambda value: value in Layout.values, "Choose one of these."),
    "weight_tolerance": (lambda value: 0 <= value <= MOST_TOLERANCE, f"A percentage from 0 to {MOST_TOLERANCE}."),
    "blocks": (lambda value: 1 <= value <= MOST_BLOCKS, f"A number of blocks from 1 to {MOST_BLOCKS}."),
    "spacing": (
        lambda value: 0 < value <= MOST_SPACING, f"Metres above 0, and at most {MOST_SPACING}. Are these centimeters?"
    ),
    "length": (
        lambda value: 0 < value <= MOST_LENGTH, f"Metres above 0, and at most {MOST_LENGTH}. Are these centimeters?"
    ),
    "depot_x": (lambda value: abs(value) <= FARTHEST, _FAR),
    "depot_y": (lambda value: abs(value) <= FARTHEST, _FAR),
}  # fmt: skip


def _errors(setup: PickingSetup, *, has_new_aisles: bool) -> Errors:
    errors = {f"/{name}": [words] for name, (is_right, words) in _CHECKS.items() if not is_right(getattr(setup, name))}
    if problem := _aisles_problem(setup.aisles, must_exist=has_new_aisles):
        errors["/aisles"] = [problem]
    elif setup.layout == Layout.AISLES:
        if not setup.aisles:
            errors["/aisles"] = ["Put at least one aisle on the map, or choose another layout."]
        elif not 0 <= setup.depot_aisle < len(setup.aisles):
            errors["/depot_aisle"] = ["The walk begins in front of an aisle that isn't on the map."]
    return errors


def _aisles_problem(aisles: Any, *, must_exist: bool) -> str:
    """Answer what is wrong with the list of aisles, in words."""
    if not _are_aisles(aisles):
        return "Aisles are named by zone and aisle, as locations are."
    named = [(aisle["zone"], aisle["aisle"]) for aisle in aisles]
    if len(named) > MOST_AISLES:
        return f"At most {MOST_AISLES} aisles."
    if twice := [aisle for aisle, other in pairwise(sorted(named)) if aisle == other]:
        return f"{aisle_label(*twice[0])} is on the map twice."
    if must_exist and named:
        there = set(Location.objects.order_by().values_list("zone", "aisle").distinct())
        there |= {(zone, "") for zone, _aisle in there}
        if missing := [aisle for aisle in named if aisle not in there]:
            return f"No location lies in {aisle_label(*missing[0])}."
    return ""


def _are_aisles(aisles: Any) -> bool:
    return isinstance(aisles, list) and all(
        isinstance(aisle, dict)
        and set(aisle) == {"zone", "aisle"}
        and all(isinstance(name, str) and len(name) <= _NAME_LENGTH and "\x00" not in name for name in aisle.values())
        for aisle in aisles
    )


def _free_errors(setup: PickingSetup) -> Errors:
    """Answer why no route is shorter than another on the places as they are."""
    points = set(MapPoint.objects.values_list("x", "y"))
    if not points:
        return {"/points": ["Say where at least one location is, or choose another layout."]}
    if points == {(setup.depot_x, setup.depot_y)}:
        return {"/points": ["All places are where the walk begins, so there is nothing to walk."]}
    return {}

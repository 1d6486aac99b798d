"""Finds the locations that codes name, and makes those that aren't there yet."""

from collections.abc import Collection
from dataclasses import asdict
from uuid import UUID

from django.db.models.functions import Lower

from audit import bulk
from inventory.codes import CodeError, clean, parts_of
from inventory.models import Location
from inventory.naturals import route_key


def locations_of_codes(codes: Collection[str]) -> dict[str, UUID]:
    """Answer the locations by their codes in lower case; a code that no location has becomes one.

    Left out are codes that can't be one, and locations that are out of use: nothing is put there.
    """
    wanted = {}
    for code in codes:
        try:
            wanted[code.strip().lower()] = clean(code)
        except CodeError:
            continue
    present = {
        key: (location_id, is_active)
        for key, location_id, is_active in Location.objects.annotate(key=Lower("code"))
        .filter(key__in=list(wanted))
        .values_list("key", "pk", "is_active")
    }
    new = [
        Location(code=code, route_key=route_key(code=code, sort_order=0), **asdict(parts_of(code)))
        for key, code in sorted(wanted.items())
        if key not in present
    ]
    if new:
        bulk.bulk_create(Location, new)
    in_use = {key: location_id for key, (location_id, is_active) in present.items() if is_active}
    return in_use | {location.code.lower(): location.pk for location in new}

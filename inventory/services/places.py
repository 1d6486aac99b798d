"""Finds the locations that codes name, and makes those that aren't there yet."""

from collections.abc import Collection
from uuid import UUID

from django.db.models.functions import Lower

from audit import bulk
from inventory.models import Location
from inventory.naturals import parts_of_code, route_key


def locations_of_codes(codes: Collection[str]) -> dict[str, UUID]:
    """Answer the locations by their codes in lower case; a code that no location has becomes one."""
    wanted = {code.strip().casefold(): code.strip() for code in codes}
    found = _present(wanted)
    missing = [code for key, code in sorted(wanted.items()) if key not in found]
    if missing:
        new = [
            Location(code=code, route_key=route_key(code=code, sort_order=0), **parts_of_code(code)) for code in missing
        ]
        bulk.bulk_create(Location, new)
        found |= {location.code.casefold(): location.pk for location in new}
    return found


def _present(keys: Collection[str]) -> dict[str, UUID]:
    rows = Location.objects.annotate(key=Lower("code")).filter(key__in=list(keys))
    return dict(rows.values_list("key", "pk"))

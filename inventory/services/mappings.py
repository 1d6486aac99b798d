"""What can be done to a shop's own mappings: say what a platform's number means, and forget it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import context
from catalog import colors
from catalog import services as catalog
from catalog.choices import MAY_HAVE_COLOR, ItemType, System
from common.errors import Conflict, Invalid, NotFound
from inventory.choices import NumberSystem
from inventory.models import ItemMapping

_NUMBER_LENGTH, _COLOR_LENGTH = 60, 20


@transaction.atomic
def set_item_mapping(
    *, system: str, external_id: str, item_type: str, item_no: str, now: datetime, external_color: str = "",
    color_id: int | None = None, decided_by_id: UUID | None = None,
) -> ItemMapping:  # fmt: skip
    """Say what a platform's number means to this shop, from now on; it is offered to our staff for every shop.

    Raises Invalid with errors by field, Conflict where somebody says something of it at this very moment.
    """
    context.describe("inventory.set_item_mapping")
    values = {"external_id": external_id.strip(), "item_no": item_no.strip()}
    errors = {
        f"/{name}": [f"A number of 1 to {_NUMBER_LENGTH} characters."]
        for name, text in values.items()
        if not 0 < len(text) <= _NUMBER_LENGTH
    }
    if system not in NumberSystem.values:
        errors["/system"] = ["This is no platform that is known here."]
    if item_type not in ItemType.values:
        errors["/item_type"] = ["This is no type of item."]
    if len(external_color) > _COLOR_LENGTH:
        errors["/external_color"] = [f"At most {_COLOR_LENGTH} characters."]
    if color_id is not None and (colors.get(color_id) is None or item_type not in MAY_HAVE_COLOR):
        errors["/color_id"] = ["This can't be its color."]
    if errors:
        raise Invalid(errors=errors)
    key = {"system": system, "external_id": values["external_id"], "external_color": external_color.strip()}
    mapping = ItemMapping.objects.select_for_update().filter(**key).first() or ItemMapping(**key)
    said = (item_type, values["item_no"], color_id)
    if (mapping.item_type, mapping.item_no, mapping.color_id) == said:
        return mapping
    mapping.item_type, mapping.item_no, mapping.color_id = said
    mapping.decided_by_id = decided_by_id
    try:
        with transaction.atomic():
            mapping.save()
    except IntegrityError:
        raise Conflict("Somebody else says what this number means just now. Look at it again.") from None
    tell_what_is_meant([mapping], now=now)
    return mapping


@transaction.atomic
def forget_item_mapping(*, mapping_id: UUID) -> None:
    """Let the catalog say again what the number means, and take the offer back. Raises NotFound."""
    context.describe("inventory.forget_item_mapping")
    mapping = ItemMapping.objects.select_for_update().filter(pk=mapping_id).first()
    if mapping is None:
        raise NotFound("There is no such mapping.")
    mapping.delete()
    withdraw_what_was_meant([mapping])


def tell_what_is_meant(mappings: Iterable[ItemMapping], *, now: datetime) -> None:
    """Offer to our staff what the mappings say, instead of what was said of these numbers before."""
    # In one order, so that two shops at once don't wait for each other.
    for mapping in sorted(mappings, key=lambda each: (each.system, each.external_id, each.external_color)):
        # LEGO's element ids come from LEGO's own lists.
        if mapping.system in System.values:
            catalog.offer_mapping(
                system=mapping.system, external_id=mapping.external_id, external_color=mapping.external_color,
                item_type=mapping.item_type, item_no=mapping.item_no, color_id=mapping.color_id,
                now=now,
            )  # fmt: skip


def withdraw_what_was_meant(mappings: Iterable[ItemMapping]) -> None:
    """Take back what was offered of these numbers."""
    for mapping in mappings:
        catalog.withdraw_mapping(
            system=mapping.system, external_id=mapping.external_id, external_color=mapping.external_color
        )

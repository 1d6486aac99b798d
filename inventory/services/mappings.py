"""What can be done to a shop's own mappings: say what a platform's number means, and forget it."""

from uuid import UUID

from django.db import transaction

from audit import context
from catalog import colors
from catalog.choices import MAY_HAVE_COLOR, ItemType, System
from common.errors import Invalid, NotFound
from inventory.models import ItemMapping

_NUMBER_LENGTH, _COLOR_LENGTH = 60, 20


@transaction.atomic
def set_item_mapping(
    *, system: str, external_id: str, item_type: str, item_no: str, external_color: str = "",
    color_id: int | None = None, decided_by_id: UUID | None = None,
) -> ItemMapping:  # fmt: skip
    """Say what a platform's number means to this shop, from now on. Raises Invalid with errors by field."""
    context.describe("inventory.set_item_mapping")
    values = {"external_id": external_id.strip(), "item_no": item_no.strip()}
    errors = {
        f"/{name}": [f"A number of 1 to {_NUMBER_LENGTH} characters."]
        for name, text in values.items()
        if not 0 < len(text) <= _NUMBER_LENGTH
    }
    if system not in System.values:
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
    mapping.item_type, mapping.item_no, mapping.color_id = item_type, values["item_no"], color_id
    mapping.decided_by_id = decided_by_id
    mapping.save()
    return mapping


@transaction.atomic
def forget_item_mapping(*, mapping_id: UUID) -> None:
    """Let the catalog say again what the number means. Raises NotFound."""
    context.describe("inventory.forget_item_mapping")
    mapping = ItemMapping.objects.select_for_update().filter(pk=mapping_id).first()
    if mapping is None:
        raise NotFound("There is no such mapping.")
    mapping.delete()

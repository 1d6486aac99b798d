"""What the API takes and answers about stock."""

from typing import Any

from catalog.choices import ItemType
from catalog.sources.base import ImageKind
from common.api import serializers
from inventory import formats
from inventory.choices import (
    Completeness,
    FieldPolicy,
    ItemCondition,
    MovementKind,
    QuantityPolicy,
    StockRoom,
    SubCondition,
)
from inventory.queries.filters import PARAMETERS
from inventory.queries.locations import STATES
from inventory.services.checks import LENGTHS

_CODE_LENGTH, _PART_LENGTH = 40, 20
MAX_OPERATIONS = 1_000
_TIERS = 3
PICTURE = "On this host, with the same access; a drawing where no source has a picture."


class TierField(serializers.Serializer):
    """A step of a tier price."""

    qty = serializers.IntegerField(min_value=2, help_text="From so many pieces on.")
    price = serializers.DecimalField(max_digits=12, decimal_places=4, min_value=0)


def _price(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=4, min_value=0, **kwargs)


def _text(name: str, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=LENGTHS[name], **kwargs)


class LotFields(serializers.Serializer):
    """The fields of a lot that can be set."""

    item_type = serializers.ChoiceField(choices=ItemType.choices)
    item_no = serializers.CharField(max_length=LENGTHS["item_no"], help_text="BrickLink's number.")
    item_name = _text("item_name")
    category_name = _text("category_name")
    color_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, help_text="BrickLink's color; parts have one, sets have none."
    )
    condition = serializers.ChoiceField(choices=ItemCondition.choices)
    completeness = serializers.ChoiceField(choices=Completeness.choices, required=False, allow_null=True)
    sub_condition = serializers.ChoiceField(choices=SubCondition.choices, required=False, allow_null=True)
    qty_available = serializers.IntegerField(required=False, min_value=0)
    unit_price = _price(required=False, help_text="In the shop's currency.")
    cost_basis = _price(required=False, allow_null=True, help_text="Of one piece.")
    sale_percent = serializers.IntegerField(required=False, min_value=0, max_value=100)
    bulk = serializers.IntegerField(required=False, min_value=1)
    tier_prices = serializers.ListField(child=TierField(), required=False, max_length=_TIERS)
    description = _text("description", help_text="Public.")
    remarks = _text("remarks", help_text="Private.")
    is_retain = serializers.BooleanField(required=False)
    is_stock_room = serializers.BooleanField(required=False)
    stock_room_id = serializers.ChoiceField(choices=["", *StockRoom.values], required=False)
    weight_grams = serializers.DecimalField(
        max_digits=10, decimal_places=4, min_value=0, required=False, allow_null=True, help_text="Of one piece."
    )
    low_stock_threshold = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    price_locked = serializers.BooleanField(required=False)
    price_lock_reason = _text("price_lock_reason")
    price_lock_expires_at = serializers.DateTimeField(required=False, allow_null=True)
    reserved_for = _text("reserved_for", help_text="A buyer's name.")
    acquired_from = _text("acquired_from")
    date_added = serializers.DateTimeField(required=False)
    bricklink_lot_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**63 - 1, help_text="BrickLink's number of the lot."
    )


class LotInput(LotFields):
    """A new lot."""

    location_id = serializers.UUIDField(required=False, help_text="Where its pieces lie.")


class LotPatch(LotFields):
    """Fields of a lot to be changed, and the version that you saw unless If-Match names it."""

    version = serializers.IntegerField(required=False, min_value=1)


class PlaceOut(serializers.Serializer):
    """So many pieces at a location."""

    location_id = serializers.UUIDField()
    code = serializers.CharField()
    qty = serializers.IntegerField()


class LotRow(serializers.Serializer):
    """A lot."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    item_type = serializers.ChoiceField(choices=ItemType.choices)
    item_no = serializers.CharField()
    item_name = serializers.CharField()
    category_name = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    color_name = serializers.CharField()
    condition = serializers.ChoiceField(choices=ItemCondition.choices)
    completeness = serializers.ChoiceField(choices=Completeness.choices, allow_null=True)
    sub_condition = serializers.ChoiceField(choices=SubCondition.choices, allow_null=True)
    qty_available = serializers.IntegerField()
    qty_reserved = serializers.IntegerField()
    unit_price = serializers.DecimalField(max_digits=12, decimal_places=4)
    currency = serializers.CharField()
    cost_basis = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    sale_percent = serializers.IntegerField()
    bulk = serializers.IntegerField()
    tier_prices = serializers.ListField(child=TierField())
    description = serializers.CharField()
    remarks = serializers.CharField()
    is_retain = serializers.BooleanField()
    is_stock_room = serializers.BooleanField()
    stock_room_id = serializers.ChoiceField(choices=["", *StockRoom.values])
    weight_grams = serializers.DecimalField(max_digits=10, decimal_places=4, allow_null=True)
    low_stock_threshold = serializers.IntegerField(allow_null=True)
    price_locked = serializers.BooleanField()
    price_lock_reason = serializers.CharField()
    price_lock_expires_at = serializers.DateTimeField(allow_null=True)
    reserved_for = serializers.CharField()
    acquired_from = serializers.CharField()
    date_added = serializers.DateTimeField()
    last_sold_at = serializers.DateTimeField(allow_null=True)
    bricklink_lot_id = serializers.IntegerField(allow_null=True)
    locations = serializers.ListField(child=PlaceOut())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class LotQuery(serializers.QuerySerializer):
    """What narrows the list, as on the page. `color` and `type` take several, joined by commas."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.CharField(required=False, max_length=200, help_text=parameter.label)
            for name, parameter in PARAMETERS.items()
            if name != "ids"
        }


class MovementRow(serializers.Serializer):
    """A change of a lot's quantities, and what was there after it."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=MovementKind.choices)
    delta_available = serializers.IntegerField()
    delta_reserved = serializers.IntegerField()
    balance_available = serializers.IntegerField()
    balance_reserved = serializers.IntegerField()
    cause_type = serializers.CharField()
    cause_id = serializers.CharField()
    note = serializers.CharField()
    change_set_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()


# --- Bulk -----------------------------------------------------------------------------------------------------------
class BulkValues(LotPatch):
    """The fields of a lot to be made or changed."""

    location_id = serializers.UUIDField(required=False, help_text="Where the pieces of a new lot lie.")
    item_type = serializers.ChoiceField(choices=ItemType.choices, required=False)
    item_no = serializers.CharField(max_length=LENGTHS["item_no"], required=False)
    condition = serializers.ChoiceField(choices=ItemCondition.choices, required=False)


class BulkOperation(serializers.Serializer):
    """One of many: `create` takes values; `update` an id, the version seen and values; `delete` an id and a version."""

    action = serializers.ChoiceField(choices=["create", "update", "delete"])
    id = serializers.UUIDField(required=False)
    version = serializers.IntegerField(required=False, min_value=1)
    values = BulkValues(required=False)


class BulkInput(serializers.Serializer):
    """Up to 1,000 operations, one for each lot."""

    mode = serializers.ChoiceField(
        choices=["all_or_nothing", "per_item"],
        help_text="Whether one that can't be done stops all, or is told of beside the others.",
    )
    operations = serializers.ListField(child=BulkOperation(), min_length=1, max_length=MAX_OPERATIONS)


class BulkResult(serializers.Serializer):
    """What became of one operation; `problem` is why nothing was done."""

    index = serializers.IntegerField()
    status = serializers.IntegerField(help_text="As its own request would have been answered.")
    id = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True, help_text="Null where the lot is gone or nothing was done.")
    problem = serializers.DictField(required=False, help_text="Why nothing was done; not there where it was.")


class BulkAnswer(serializers.Serializer):
    """What became of each operation, in the order in which they were sent."""

    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = serializers.ListField(child=BulkResult())


# --- Import and export ----------------------------------------------------------------------------------------------
class ImportInput(serializers.QuerySerializer):
    """A file of stock (multipart), and what is to become of lots that are there."""

    file = serializers.FileField()
    format = serializers.ChoiceField(
        choices=[each.spec.code for each in formats.all_formats() if each.spec.can_read],
        required=False,
        help_text="Found by the file's content unless named.",
    )
    dry_run = serializers.BooleanField(required=False, default=True, help_text="Only read it and make the preview.")
    mapping = serializers.CharField(
        required=False, max_length=20_000, help_text='JSON: a field for each column, `{"Item No": "item_no"}`.'
    )
    quantity = serializers.ChoiceField(choices=QuantityPolicy.choices, required=False, default=QuantityPolicy.SET)
    fields_policy = serializers.ChoiceField(choices=FieldPolicy.choices, required=False, default=FieldPolicy.FILE)
    create_new = serializers.BooleanField(required=False, default=True)
    with_excluded = serializers.BooleanField(required=False, default=False)
    read_locations = serializers.BooleanField(required=False, default=False)
    currency_rate = serializers.DecimalField(
        max_digits=10,
        decimal_places=6,
        min_value=0,
        required=False,
        help_text="One of the file's currency in the shop's.",
    )


class ImportOut(serializers.Serializer):
    """An import, and the job that reads or carries it out."""

    id = serializers.UUIDField()
    job_id = serializers.UUIDField(allow_null=True)
    status = serializers.CharField()
    file_name = serializers.CharField()
    format = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    url = serializers.CharField(help_text="Its page.")


class ExportQuery(LotQuery):
    """What to write, and how."""

    def get_fields(self) -> dict[str, Any]:
        codes = [each.spec.code for each in formats.all_formats() if each.spec.can_write]
        return {"format": serializers.ChoiceField(choices=codes), **super().get_fields()}


# --- Locations ------------------------------------------------------------------------------------------------------
class LocationFields(serializers.Serializer):
    """A place of the storage."""

    code = serializers.CharField(max_length=_CODE_LENGTH)
    zone = serializers.CharField(required=False, allow_blank=True, max_length=_PART_LENGTH)
    aisle = serializers.CharField(required=False, allow_blank=True, max_length=_PART_LENGTH)
    shelf = serializers.CharField(required=False, allow_blank=True, max_length=_PART_LENGTH)
    bin = serializers.CharField(required=False, allow_blank=True, max_length=_PART_LENGTH)
    sort_order = serializers.IntegerField(required=False, help_text="Where the walk comes by.")
    capacity = serializers.IntegerField(required=False, allow_null=True, min_value=1, help_text="Lots that fit in.")
    is_active = serializers.BooleanField(required=False)


class LocationRow(LocationFields):
    """A place, and what lies there."""

    id = serializers.UUIDField()
    lot_count = serializers.IntegerField(help_text="Lots that lie there.")
    piece_count = serializers.IntegerField(help_text="Their pieces there.")
    last_counted_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class LocationQuery(serializers.QuerySerializer):
    """What narrows the list."""

    search = serializers.CharField(required=False, max_length=_CODE_LENGTH, help_text="Part of the code.")
    zone = serializers.CharField(required=False, max_length=_PART_LENGTH)
    aisle = serializers.CharField(required=False, max_length=_PART_LENGTH)
    shelf = serializers.CharField(required=False, max_length=_PART_LENGTH)
    state = serializers.ChoiceField(choices=list(STATES.items()), required=False)


class LocationDeletion(serializers.QuerySerializer):
    """Where the contents of a used location go."""

    move_to = serializers.UUIDField(required=False, help_text="The location that takes over what lies here.")


# --- What is it? ----------------------------------------------------------------------------------------------------
class ImageInput(serializers.Serializer):
    """A photo."""

    image = serializers.FileField(help_text="JPEG, PNG, WebP, GIF, BMP or TIFF; at most 10 MB and 50 megapixels.")
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in ImageKind],
        required=False,
        default=ImageKind.ANY.value,
        help_text="What it is of.",
    )


class InStock(serializers.Serializer):
    """A lot of the thing."""

    inventory_item_id = serializers.UUIDField()
    color_id = serializers.IntegerField(allow_null=True)
    condition = serializers.CharField()
    qty_available = serializers.IntegerField()
    qty_reserved = serializers.IntegerField()
    locations = serializers.ListField(child=serializers.CharField(), help_text="In walking order.")


class PredictionOut(serializers.Serializer):
    """A thing that a photo may show."""

    item_type = serializers.ChoiceField(choices=ItemType.choices)
    item_no = serializers.CharField(help_text="BrickLink's number.")
    name = serializers.CharField()
    confidence = serializers.FloatField(help_text="From 0 to 1.")
    image_url = serializers.CharField(help_text=PICTURE)
    platform_ids = serializers.DictField(child=serializers.CharField(), help_text="Its number on each platform.")
    in_stock = serializers.ListField(child=InStock())


class IdentifyAnswer(serializers.Serializer):
    """What a photo may show, best first; `top_match` is the first if it is sure enough (from 0.85 on)."""

    predictions = serializers.ListField(child=PredictionOut())
    top_match = PredictionOut(allow_null=True)

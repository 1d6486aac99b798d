"""What the API takes and answers about orders."""

from typing import Any

from catalog.choices import ItemType
from common.api import serializers
from inventory.choices import Completeness, ItemCondition
from orders.choices import Flag, LineStatus, OrderStatus, PaymentStatus
from orders.queries.filters import PARAMETERS
from orders.services.checks import ADDRESS_LENGTHS, MAX_TAGS, TAG_LENGTH
from orders.services.manual import MAX_LINES

_REASON, _QTY = 300, 1_000_000


def _total(**kwargs: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=2, **kwargs)


def _given(name: str, length: int, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=length, **kwargs)


class ShipToInput(serializers.Serializer):
    """Where it goes; parts that are left out are empty."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.CharField(
                required=False, allow_blank=True, max_length=length,
                help_text="ISO 3166, two capital letters." if name == "country" else "",
            )
            for name, length in ADDRESS_LENGTHS.items()
        }  # fmt: skip


class ShipToOut(serializers.Serializer):
    """Where it goes."""

    def get_fields(self) -> dict[str, Any]:
        return {name: serializers.CharField() for name in ADDRESS_LENGTHS}


class LineInput(serializers.Serializer):
    """So many pieces of a lot."""

    inventory_item = serializers.UUIDField(help_text="The lot.")
    qty = serializers.IntegerField(min_value=1, max_value=_QTY)
    unit_price = serializers.DecimalField(
        max_digits=12,
        decimal_places=4,
        min_value=0,
        required=False,
        help_text="In the shop's currency; else the lot's.",
    )  # fmt: skip


class OrderInput(serializers.Serializer):
    """An order of the shop's own counter, in the shop's currency."""

    lines = serializers.ListField(child=LineInput(), min_length=1, max_length=MAX_LINES)
    is_paid = serializers.BooleanField(required=False, help_text="A paid one waits to be picked at once.")
    buyer_name = _given("buyer_name", 200)
    buyer_email = _given("buyer_email", 254)
    buyer_username = _given("buyer_username", 120)
    ship_to = ShipToInput(required=False)
    shipping_method = _given("shipping_method", 120)
    shipping_cost = _total(min_value=0, required=False)
    insurance = _total(min_value=0, required=False)
    tax_amount = _total(min_value=0, required=False)
    discount_amount = _total(min_value=0, required=False)
    notes = _given("notes", 4000)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=TAG_LENGTH), required=False, max_length=MAX_TAGS
    )


class OrderPatch(serializers.VersionSerializer):
    """What may be changed of an order, and the version that you saw unless If-Match names it."""

    ship_to = ShipToInput(required=False, help_text="The whole address.")
    shipping_method = _given("shipping_method", 120)
    tracking_number = _given("tracking_number", 100)
    tracking_url = _given("tracking_url", 500)
    notes = _given("notes", 4000)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=TAG_LENGTH), required=False, max_length=MAX_TAGS
    )
    flags = serializers.ListField(child=serializers.ChoiceField(choices=Flag.choices), required=False, max_length=8)


class StatusInput(serializers.Serializer):
    """Where the order goes. CANCELLED and REFUNDED have addresses of their own."""

    status = serializers.ChoiceField(choices=OrderStatus.choices)
    reason = _given("reason", _REASON)
    version = serializers.IntegerField(required=False, min_value=1, help_text="The version that you saw.")


class CancelInput(serializers.Serializer):
    """Why it ends."""

    reason = _given("reason", _REASON)
    version = serializers.IntegerField(required=False, min_value=1, help_text="The version that you saw.")


class PiecesInput(serializers.Serializer):
    """Pieces of a line."""

    line_id = serializers.UUIDField()
    qty = serializers.IntegerField(min_value=1, max_value=_QTY)


class RefundInput(serializers.Serializer):
    """Money that was given back; all that is left without an amount, which ends the order."""

    amount = _total(min_value=0, required=False, help_text="In the order's currency.")
    reason = _given("reason", _REASON)
    lines = serializers.ListField(
        child=PiecesInput(), required=False, max_length=MAX_LINES,
        help_text="What it is for: taken off before shipping, put back after it if `restock` says so.",
    )  # fmt: skip
    restock = serializers.BooleanField(required=False)
    version = serializers.IntegerField(required=False, min_value=1, help_text="The version that you saw.")


class RefundOut(serializers.Serializer):
    """Money that was given back."""

    id = serializers.UUIDField()
    amount = _total()
    currency = serializers.CharField()
    reason = serializers.CharField()
    refunded_at = serializers.DateTimeField()
    made_by = serializers.CharField()


class WarningOut(serializers.Serializer):
    """Something odd that the channel told."""

    code = serializers.CharField()
    text = serializers.CharField()


class LineOut(serializers.Serializer):
    """A line of an order."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    inventory_item = serializers.UUIDField(source="inventory_item_id", allow_null=True, help_text="The lot.")
    covers = serializers.UUIDField(
        source="covers_id", allow_null=True, help_text="The line whose missing pieces this one takes from another lot."
    )
    item_type = serializers.ChoiceField(choices=ItemType.choices)
    item_no = serializers.CharField()
    item_name = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    color_name = serializers.CharField()
    condition = serializers.ChoiceField(choices=ItemCondition.choices)
    completeness = serializers.ChoiceField(choices=["", *Completeness.values])
    description = serializers.CharField()
    external_line_id = serializers.CharField()
    external_lot_id = serializers.CharField()
    qty_ordered = serializers.IntegerField()
    qty_reserved = serializers.IntegerField()
    qty_short = serializers.IntegerField(help_text="Pieces that no stock covers.")
    qty_picked = serializers.IntegerField()
    qty_missing = serializers.IntegerField(help_text="Pieces that picking didn't find.")
    qty_shipped = serializers.IntegerField()
    unit_price = serializers.DecimalField(max_digits=12, decimal_places=4)
    line_total = _total()
    status = serializers.ChoiceField(choices=LineStatus.choices)


class OrderOut(serializers.Serializer):
    """An order. Amounts are in its own currency."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    number = serializers.IntegerField(help_text="The shop's own.")
    store = serializers.UUIDField(source="store_id")
    external_order_id = serializers.CharField(help_text="The channel's number.")
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    status_changed_at = serializers.DateTimeField()
    status_reason = serializers.CharField()
    channel_status = serializers.CharField(help_text="As the channel says it.")
    buyer = serializers.UUIDField(source="buyer_id", allow_null=True)
    buyer_name = serializers.CharField()
    buyer_email = serializers.CharField()
    buyer_username = serializers.CharField()
    buyer_note = serializers.CharField()
    ship_to = ShipToOut(source="whole_address")
    shipping_method = serializers.CharField()
    tracking_number = serializers.CharField()
    tracking_url = serializers.CharField()
    currency = serializers.CharField()
    subtotal = _total()
    shipping_cost = _total()
    insurance = _total()
    tax_amount = _total()
    discount_amount = _total()
    grand_total = _total()
    refunded_total = _total()
    payment_status = serializers.ChoiceField(choices=PaymentStatus.choices)
    ordered_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    ship_by = serializers.DateTimeField(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)
    notes = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    flags = serializers.ListField(child=serializers.ChoiceField(choices=Flag.choices))
    warnings = serializers.ListField(child=WarningOut())
    needs_attention = serializers.BooleanField()
    ships_with = serializers.UUIDField(source="ships_with_id", allow_null=True)
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class OrderQuery(serializers.QuerySerializer):
    """What narrows the list, as on the page. `status` takes several, joined by commas."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.CharField(required=False, max_length=200, help_text=parameter.label)
            for name, parameter in PARAMETERS.items()
            if name != "ids"
        }


class HistoryRow(serializers.Serializer):
    """What happened to an order, newest first."""

    at = serializers.DateTimeField()
    change_set_id = serializers.UUIDField()
    action = serializers.CharField()
    words = serializers.CharField()
    actor_name = serializers.CharField()
    status = serializers.ChoiceField(choices=OrderStatus.choices, help_text="The status that it had then.")
    version = serializers.IntegerField()

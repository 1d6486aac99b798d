"""What the API takes and answers about picking."""

from typing import Any

from common.api import serializers
from picker.choices import EventType, Leaving, Remainder, SessionStatus
from picker.services.saying import KEY_LENGTH, MOST_AT_ONCE, MOST_PIECES
from picker.services.sessions import MOST_ORDERS

_NOTES = 300


class SessionQuery(serializers.QuerySerializer):
    """Which sessions."""

    status = serializers.CommaListField(choices=SessionStatus.values, required=False)


class PickSessionInput(serializers.Serializer):
    """A session of orders: the first gets tote A."""

    order_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_ORDERS)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    with_flagged = serializers.BooleanField(
        required=False, help_text="Orders with a flag that asks for a person are meant to be in it."
    )
    start = serializers.BooleanField(required=False, help_text="Start it at once.")


class PickSessionPatch(serializers.Serializer):
    """What may be changed of a session. `ACTIVE` starts it, `COMPLETED` ends it."""

    status = serializers.ChoiceField(choices=[SessionStatus.ACTIVE, SessionStatus.COMPLETED], required=False)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="That was seen; without it the present one is meant."
    )


class PickEntryOut(serializers.Serializer):
    """An order of a session."""

    order = serializers.UUIDField(source="order_id")
    number = serializers.CharField(source="order.external_order_id")
    store = serializers.CharField(source="order.store.name")
    batch_code = serializers.CharField()
    is_open = serializers.SerializerMethodField()
    leaving = serializers.ChoiceField(choices=["", *Leaving.values])
    status = serializers.CharField(source="order.status")

    def get_is_open(self, entry: Any) -> bool:
        """Tell whether it is in the session now."""
        return entry.left_at is None


class PickSessionOut(serializers.Serializer):
    """A pick session."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=SessionStatus.values)
    version = serializers.IntegerField()
    route_version = serializers.IntegerField()
    total_orders = serializers.IntegerField()
    total_items = serializers.IntegerField(help_text="Pieces.")
    picked_items = serializers.IntegerField()
    missing_items = serializers.IntegerField()
    route_metres = serializers.DecimalField(max_digits=10, decimal_places=1, allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    notes = serializers.CharField()


class PickShortOut(serializers.Serializer):
    """Pieces of a line that weren't there."""

    order_line = serializers.UUIDField()
    item_no = serializers.CharField()
    item_name = serializers.CharField()
    color_name = serializers.CharField()
    qty = serializers.IntegerField()


class PickOutcomeOut(serializers.Serializer):
    """What became of an order of a session."""

    order = serializers.UUIDField()
    number = serializers.CharField()
    batch_code = serializers.CharField()
    status = serializers.CharField()
    leaving = serializers.CharField()
    short = PickShortOut(many=True)


class PickSessionDetailOut(PickSessionOut):
    """A pick session with its orders; `outcome` once it is over, what is short and what became of each."""

    orders = PickEntryOut(many=True)
    outcome = PickOutcomeOut(many=True)


class PickerOut(serializers.Serializer):
    """Somebody who takes part."""

    user = serializers.CharField(source="user_id")
    name = serializers.CharField(source="user.display_name")
    initials = serializers.CharField()
    seen_at = serializers.DateTimeField()
    stop = serializers.UUIDField(source="stop_id", allow_null=True)


class PickNeedOut(serializers.Serializer):
    """So many pieces at a stop for an order line."""

    id = serializers.UUIDField()
    order_line = serializers.UUIDField(source="order_line_id")
    batch_code = serializers.CharField()
    qty = serializers.IntegerField()
    qty_picked = serializers.IntegerField()
    qty_missing = serializers.IntegerField()


class StopLocationOut(serializers.Serializer):
    """Where a stop is."""

    id = serializers.UUIDField(allow_null=True)
    code = serializers.CharField()
    zone = serializers.CharField()


class StopLotOut(serializers.Serializer):
    """What is picked at a stop."""

    id = serializers.UUIDField()
    item_type = serializers.CharField()
    item_no = serializers.CharField()
    item_name = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    color_name = serializers.CharField()
    rgb = serializers.CharField()
    condition = serializers.CharField()
    completeness = serializers.CharField()
    description = serializers.CharField()
    image = serializers.CharField()
    picture = serializers.CharField()


class OtherPlaceOut(serializers.Serializer):
    """Another place of the lot."""

    location = serializers.UUIDField()
    code = serializers.CharField()
    qty = serializers.IntegerField()


class PickLookalikeOut(serializers.Serializer):
    """A neighbor that it is mistaken for."""

    text = serializers.CharField()
    location = serializers.CharField()


class StopOut(serializers.Serializer):
    """A stop of the walk."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    picker = serializers.CharField(allow_null=True)
    location = StopLocationOut(allow_null=True)
    lot = StopLotOut()
    needs = PickNeedOut(many=True)
    others = OtherPlaceOut(many=True)
    lookalikes = PickLookalikeOut(many=True)


class PickRouteOut(serializers.Serializer):
    """A whole walk, in walking order."""

    session = PickSessionOut()
    me = serializers.CharField()
    orders = PickEntryOut(many=True)
    pickers = PickerOut(many=True)
    stops = StopOut(many=True)


class ProgressQuery(serializers.QuerySerializer):
    """Since which version of the session, and where one stands."""

    since = serializers.IntegerField(required=False, min_value=0)
    stop = serializers.UUIDField(required=False)


class ChangedStopOut(serializers.Serializer):
    """A stop that changed: its needs as [id, qty, picked, missing]."""

    stop = serializers.UUIDField()
    picker = serializers.CharField(allow_null=True)
    needs = serializers.ListField(child=serializers.ListField())


class PickProgressOut(serializers.Serializer):
    """What changed since. Where `route_version` is another one, the route is asked for again."""

    session = PickSessionOut()
    pickers = PickerOut(many=True)
    changed = ChangedStopOut(many=True)
    route_version = serializers.IntegerField()


class ElsewhereInput(serializers.Serializer):
    """Another place of the lot from which the missing pieces are taken."""

    location = serializers.UUIDField()
    stop = serializers.UUIDField(help_text="Made on the device: the stop that follows.")


class OnePick(serializers.Serializer):
    """What a picker says of a line at a stop."""

    idempotency_key = serializers.CharField(max_length=KEY_LENGTH, help_text="Made on the device; holds for good.")
    order_line = serializers.UUIDField()
    stop = serializers.UUIDField(required=False)
    event_type = serializers.ChoiceField(choices=EventType.values)
    qty = serializers.IntegerField(min_value=0, max_value=MOST_PIECES)
    picked_at = serializers.DateTimeField(required=False, help_text="By the device's clock.")
    corrects = serializers.CharField(
        required=False, max_length=KEY_LENGTH, help_text="ADJUSTMENT: the key of the pick that is of `qty` from now on."
    )
    remainder = serializers.ChoiceField(
        choices=Remainder.values, required=False,
        help_text="MISSING: what becomes of the pieces that the books still have at this place.",
    )  # fmt: skip
    counted = serializers.IntegerField(required=False, min_value=0, max_value=MOST_PIECES)
    elsewhere = ElsewhereInput(required=False)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=_NOTES)


class PickInput(serializers.Serializer):
    """One pick, or several as `picks`, each by itself and in their order."""

    picks = serializers.ListField(child=serializers.JSONObjectField(), required=False, max_length=MOST_AT_ONCE)

    def to_internal_value(self, data: Any) -> Any:
        """Read one pick as a list of one; each of several may be refused by itself."""
        if isinstance(data, dict) and "picks" in data:
            return super().to_internal_value(data)
        one = OnePick(data=data)
        one.is_valid(raise_exception=True)
        return {"one": one.validated_data}


class PickProblemOut(serializers.Serializer):
    """Why a pick was refused."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()


class PickResultOut(serializers.Serializer):
    """What became of a pick."""

    idempotency_key = serializers.CharField()
    status = serializers.ChoiceField(choices=["accepted", "known", "refused"])
    event = serializers.UUIDField(allow_null=True)
    problem = PickProblemOut(allow_null=True)


class PicksOut(serializers.Serializer):
    """What became of picks, in their order."""

    results = PickResultOut(many=True)
    session = PickSessionOut()


class PickEventOut(serializers.Serializer):
    """What a picker said."""

    id = serializers.UUIDField(source="key")
    order_line = serializers.UUIDField(source="order_line_id")
    stop = serializers.UUIDField(source="stop_id", allow_null=True)
    user = serializers.CharField(source="user_id", allow_null=True)
    event_type = serializers.ChoiceField(choices=EventType.values)
    qty = serializers.IntegerField()
    corrects = serializers.UUIDField(source="corrects.key", allow_null=True, default=None)
    location_code = serializers.CharField()
    remainder = serializers.CharField()
    notes = serializers.CharField()
    idempotency_key = serializers.CharField()
    picked_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class TakeOverInput(serializers.Serializer):
    """Whose stops are taken over."""

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.UUIDField(help_text="A colleague.")}


class HandOverInput(serializers.Serializer):
    """Who gets one's stops."""

    to = serializers.UUIDField(help_text="A colleague who takes part.")

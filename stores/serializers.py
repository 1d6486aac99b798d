"""Stores over HTTP: what is read of them and written to them. Credentials only go in."""

from typing import Any

from common.api import serializers
from stores.choices import Channel, StoreState

_CHANNELS = list(Channel.choices)
_OF_STORE = (
    "id", "channel", "name", "is_enabled", "is_primary", "disconnected_at", "version", "created_at", "updated_at",
)  # fmt: skip
_OF_STATE = ("state", "last_error", "retry_at", "last_orders_sync", "last_inventory_sync")


class CallsRow(serializers.Serializer):
    """The calls of today."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="Null where the channel has none for a day.")
    left = serializers.IntegerField(allow_null=True)


class CredentialRow(serializers.Serializer):
    """One value that opens a store, by its last characters."""

    label = serializers.CharField()  # type: ignore[assignment]  # a member of the row, not the field's own
    hint = serializers.CharField()


class StoreRow(serializers.Serializer):
    """A store."""

    id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=_CHANNELS)
    name = serializers.CharField()
    is_enabled = serializers.BooleanField()
    is_primary = serializers.BooleanField(help_text="Its word counts where two stores differ.")
    is_connected = serializers.BooleanField(help_text="Whether something opens it.")
    disconnected_at = serializers.DateTimeField(allow_null=True)
    settings = serializers.JSONObjectField()
    credentials = CredentialRow(many=True)
    state = serializers.ChoiceField(choices=list(StoreState.choices))
    last_error = serializers.CharField()
    retry_at = serializers.DateTimeField(allow_null=True)
    last_orders_sync = serializers.DateTimeField(allow_null=True)
    last_inventory_sync = serializers.DateTimeField(allow_null=True)
    calls = CallsRow()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def as_row(view: Any) -> dict[str, Any]:
    """Answer a store's view as its row."""
    store, state = view.store, view.state
    return {
        **{name: getattr(store, name) for name in _OF_STORE},
        **{name: getattr(state, name) for name in _OF_STATE},
        "is_connected": view.is_connected,
        "settings": view.settings,
        "credentials": view.credentials,
        "calls": {"used": view.calls_used, "limit": view.calls_limit, "left": view.calls_left},
    }


class CredentialsInput(serializers.Serializer):
    """What opens a store, by the names of its channel's fields."""

    credentials = serializers.DictField(
        child=serializers.CharField(max_length=500),
        help_text="Such as consumer_key, consumer_secret, token, token_secret.",
    )


class StoreInput(serializers.Serializer):
    """A new store."""

    channel = serializers.ChoiceField(choices=[each for each in _CHANNELS if each[0] != Channel.LOCAL])
    name = serializers.CharField(max_length=100)
    is_primary = serializers.BooleanField(required=False, default=False)
    settings = serializers.JSONObjectField(required=False)


class StorePatch(serializers.VersionSerializer):
    """What is to change of a store; of the settings those that are given."""

    name = serializers.CharField(max_length=100, required=False)
    is_enabled = serializers.BooleanField(required=False)
    is_primary = serializers.BooleanField(required=False)
    settings = serializers.JSONObjectField(required=False)
    confirmed_removals = serializers.IntegerField(required=False, allow_null=True, min_value=0)


class ProbeRow(serializers.Serializer):
    """What came of asking a store."""

    ok = serializers.BooleanField()
    shop_name = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    lots_count = serializers.IntegerField(allow_null=True, help_text="Null where the channel says so only by its list.")
    calls_left = serializers.IntegerField(allow_null=True, help_text="Null where the channel has no limit for a day.")
    warnings = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField(
        allow_null=True,
        help_text="Why it refuses: wrong_secret, wrong_key, revoked, address, clock, scope, not_approved, blocked; "
        "else the type of the problem. Null where it doesn't.",
    )
    detail = serializers.CharField(allow_null=True, help_text="What is wrong and what to do, in words.")
    address = serializers.CharField(allow_null=True, help_text="The address that is to be let in there.")
    retry_after = serializers.IntegerField(allow_null=True, help_text="Seconds until it is worth asking again.")

"""What the API takes and answers about the shop."""

from zoneinfo import available_timezones

from django_countries import countries

from common.api import serializers
from inventory.remarks import MAX_LENGTH
from tenants.choices import Currency
from tenants.queries import ShopSettings
from tenants.settings_schema import MAX_STALE_DAYS

_LINE = 120
_POSTAL_CODE = 16


class AddressOut(serializers.Serializer):
    """Where the shop is; the country stands beside it."""

    street = serializers.CharField()
    street_2 = serializers.CharField()
    postal_code = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()


class SettingsOut(serializers.Serializer):
    """What the shop says about itself."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    host = serializers.CharField()
    currency = serializers.ChoiceField(choices=Currency.choices)
    timezone = serializers.CharField(help_text="A name of the IANA time zone database.")
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2, and XK.")
    address = serializers.SerializerMethodField()
    remarks_pattern = serializers.CharField(
        source="settings.remarks_pattern",
        help_text="How remarks name locations, such as `{location} | {text}`; empty: they don't.",
    )
    stale_after_days = serializers.IntegerField(
        source="settings.stale_after_days", help_text="After how many days without a sale a lot is stale."
    )
    identifies_photos = serializers.BooleanField(
        source="settings.identifies_photos", help_text="Whether photos go to Brickognize to be identified."
    )
    edition = serializers.ChoiceField(choices=["lite", "full"])
    is_suspended = serializers.BooleanField()
    deletion_requested_at = serializers.DateTimeField(allow_null=True)
    delete_on = serializers.DateTimeField(allow_null=True, help_text="When everything goes, if deletion was asked for.")
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()

    def get_address(self, found: ShopSettings) -> dict[str, str]:
        return found.settings.address.model_dump()


class AddressInput(serializers.Serializer):
    """Lines of the postal address; those left out stay."""

    street = serializers.CharField(required=False, allow_blank=True, max_length=_LINE)
    street_2 = serializers.CharField(required=False, allow_blank=True, max_length=_LINE)
    postal_code = serializers.CharField(required=False, allow_blank=True, max_length=_POSTAL_CODE)
    city = serializers.CharField(required=False, allow_blank=True, max_length=_LINE)
    region = serializers.CharField(required=False, allow_blank=True, max_length=_LINE)


class SettingsInput(serializers.VersionSerializer):
    """What of it may be changed."""

    name = serializers.CharField(required=False, max_length=_LINE)
    currency = serializers.ChoiceField(required=False, choices=Currency.choices)
    timezone = serializers.CharField(required=False, max_length=64)
    country = serializers.ChoiceField(required=False, choices=[code for code, _name in countries])
    address = AddressInput(required=False)
    remarks_pattern = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_LENGTH,
        help_text="With `{location}` in it, and perhaps `{text}`.",
    )
    stale_after_days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_STALE_DAYS)
    identifies_photos = serializers.BooleanField(
        required=False, help_text="Switched off, no photo leaves the shop, and none is identified."
    )

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.")
        return value


class StartedJobOut(serializers.Serializer):
    """The job that does it."""

    id = serializers.UUIDField()
    job_type = serializers.CharField()
    status = serializers.CharField()


class DeletionInput(serializers.Serializer):
    """What an owner types before all of a shop goes."""

    name = serializers.CharField(max_length=_LINE, help_text="The shop's name, as it is.")
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class DeletionOut(serializers.Serializer):
    """When it goes."""

    deletion_requested_at = serializers.DateTimeField()
    delete_on = serializers.DateTimeField()

"""What the API takes and answers about people."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as PasswordError

from accounts import roles as catalogue
from accounts.choices import PREFERENCES, InvitationState, Theme
from accounts.models import User
from common.api import serializers

_MAX_PASSWORD = 1000
_MAX_EMAIL = 254
_MAX_NAME = 120
_MAX_ROLE_NAME = 60
_MAX_ROLES = 50


class PasswordField(serializers.CharField):
    """A password: taken as it was typed, never answered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_MAX_PASSWORD, trim_whitespace=False, write_only=True, **kwargs)


def role_list(**kwargs: Any) -> serializers.ListField:
    """Answer the field for roles by name or id."""
    return serializers.ListField(
        child=serializers.CharField(max_length=_MAX_ROLE_NAME),
        max_length=_MAX_ROLES,
        help_text="Names or ids of roles.",
        **kwargs,
    )


def permission_list(**kwargs: Any) -> serializers.ListField:
    """Answer the field for permissions."""
    return serializers.ListField(child=serializers.ChoiceField(choices=list(catalogue.PERMISSIONS)), **kwargs)


# --- Signing in -------------------------------------------------------------------------------------------------------
class LoginInput(serializers.Serializer):
    """An address, its password, and a code where the second factor is on."""

    email = serializers.CharField(max_length=_MAX_EMAIL)
    password = PasswordField()
    otp = serializers.CharField(
        required=False, max_length=40, help_text="A code of the authenticator app, or a recovery code."
    )


class TokenInput(LoginInput):
    """As for a log-in; on the API's own host with the shop."""

    tenant = serializers.CharField(
        required=False, max_length=63, help_text="The shop's slug; needed on the host that serves all shops."
    )


class RefreshInput(serializers.Serializer):
    """A refresh token."""

    refresh_token = serializers.CharField(max_length=4000)


class PairOut(serializers.Serializer):
    """An access token, and a refresh token that buys the next pair once."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds that the access token is good for.")


# --- Oneself ----------------------------------------------------------------------------------------------------------
class RoleNameOut(serializers.Serializer):
    """A role by what it is called."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field; DRF takes it off the class
    is_system = serializers.BooleanField()


class Preferences(serializers.Serializer):
    """What a user prefers; one that was never set isn't there."""

    def get_fields(self) -> dict[str, Any]:
        return {name: self._field(values) for name, values in PREFERENCES.items()}

    @staticmethod
    def _field(values: tuple[str | bool, ...]) -> Any:
        if isinstance(values[0], bool):
            return serializers.BooleanField(required=False)
        return serializers.ChoiceField(choices=list(values), required=False)


class SelfOut(serializers.Serializer):
    """The user who asks."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    display_name = serializers.CharField()
    locale = serializers.CharField()
    theme = serializers.ChoiceField(choices=Theme.choices)
    preferences = Preferences()


class TenantOut(serializers.Serializer):
    """The shop."""

    id = serializers.CharField(source="key")
    slug = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    timezone = serializers.CharField()
    country = serializers.CharField()


class MeOut(serializers.Serializer):
    """Who asks, what they may do, for which shop, and what its edition and installation have."""

    user = SelfOut()
    roles = RoleNameOut(many=True)
    permissions = serializers.ListField(child=serializers.CharField())
    tenant = TenantOut()
    edition = serializers.CharField(help_text="`lite` or `full`.")
    features = serializers.DictField(child=serializers.BooleanField(), help_text="Flags of the installation.")


class LoginOut(serializers.Serializer):
    """Who signed in, and the token that changes by cookie need."""

    user = SelfOut()
    csrf_token = serializers.CharField(help_text="Send it as X-CSRF-Token with whatever changes something.")


class MeInput(serializers.Serializer):
    """How one is called, and how the pages look to one."""

    display_name = serializers.CharField(max_length=_MAX_NAME)
    theme = serializers.ChoiceField(choices=Theme.choices)
    preferences = Preferences(help_text="Those that change; the others stay.")


class SessionOut(serializers.Serializer):
    """Something that the user is signed in with: a browser, or a device that holds tokens."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["browser", "device"])
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field; DRF takes it off the class
    ip_address = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_present = serializers.BooleanField(help_text="It is what asks.")


# --- Users ------------------------------------------------------------------------------------------------------------
class UserQuery(serializers.QuerySerializer):
    """By which users are found."""

    search = serializers.CharField(required=False, max_length=200, help_text="Words of the name or the address.")
    role = serializers.CharField(required=False, max_length=_MAX_ROLE_NAME, help_text="A role's name or id.")
    is_active = serializers.BooleanField(required=False)


class UserOut(serializers.Serializer):
    """A user of the shop."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    display_name = serializers.CharField()
    roles = RoleNameOut(many=True)
    permissions = serializers.SerializerMethodField()
    is_active = serializers.BooleanField()
    has_second_factor = serializers.BooleanField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_permissions(self, row: Any) -> list[str]:
        return catalogue.in_order(row.permissions)


class UserInput(serializers.Serializer):
    """A new user. Without a password they choose one by the link that is mailed to them."""

    email = serializers.EmailField(max_length=_MAX_EMAIL)
    display_name = serializers.CharField(max_length=_MAX_NAME, required=False)
    roles = role_list(min_length=1)
    password = PasswordField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" in attrs:
            user = User(email=attrs["email"], display_name=attrs.get("display_name", ""))
            try:
                validate_password(attrs["password"], user)
            except PasswordError as error:
                raise serializers.ValidationError({"password": error.messages}) from error
        return attrs


class UserPatch(serializers.Serializer):
    """What can be changed of a user."""

    display_name = serializers.CharField(max_length=_MAX_NAME, required=False)
    is_active = serializers.BooleanField(required=False)


class RolesInput(serializers.Serializer):
    """All the roles that a user shall have."""

    roles = role_list(min_length=1)


# --- Invitations ------------------------------------------------------------------------------------------------------
class InvitationQuery(serializers.QuerySerializer):
    """Which invitations are listed."""

    with_closed = serializers.BooleanField(
        required=False, default=False, help_text="Also those that were accepted or taken back."
    )


class InvitationInput(serializers.Serializer):
    """Whom to invite, as what."""

    email = serializers.EmailField(max_length=_MAX_EMAIL)
    roles = role_list(min_length=1)


class InvitationOut(serializers.Serializer):
    """An invitation."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    roles = RoleNameOut(many=True)
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=InvitationState.choices)


# --- Roles ------------------------------------------------------------------------------------------------------------
class RoleOut(serializers.Serializer):
    """A role: the five of the system, and the shop's own."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field; DRF takes it off the class
    description = serializers.CharField()
    permissions = serializers.SerializerMethodField()
    is_system = serializers.BooleanField()
    user_count = serializers.IntegerField()

    def get_permissions(self, row: Any) -> list[str]:
        return catalogue.in_order(row.permissions)


class RoleInput(serializers.Serializer):
    """A role of the shop's own."""

    name = serializers.CharField(max_length=_MAX_ROLE_NAME)
    permissions = permission_list(max_length=len(catalogue.PERMISSIONS))

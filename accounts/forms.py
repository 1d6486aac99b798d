"""What people type about people, turned into values, and what is wrong with it in our words."""

import struct
from collections.abc import Sequence
from typing import Any, cast

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import roles as catalogue
from accounts import services
from accounts.adapter import refuse_for_now
from accounts.choices import PREFERENCES, Theme
from accounts.models import User
from accounts.queries import RoleName, RoleRow
from common.errors import Invalid, RateLimited

_HINT = "At least 8 characters. A few words you can remember are better than a short riddle."


def add_errors(form: forms.BaseForm, error: Invalid) -> None:
    """Show what a service found wrong beside the fields that it names by JSON pointer."""
    for pointer, messages in error.errors.items():
        name = pointer.strip("/").partition("/")[0]
        form.add_error(name if name in form.fields else None, [*messages])
    if not error.errors:
        form.add_error(None, error.detail)


def _plain(field: forms.Field, *, label: str, hint: str = "", **attrs: str) -> None:
    field.label, field.help_text = label, hint
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attrs)


_CREDENTIAL_REFUSED = "The passkey wasn't accepted. Try again."
# What reading a credential that no browser made can raise, besides what allauth knows of.
_UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error)


class _Credential:
    """Turns a credential that can't be read into a wrong value; allauth lets most of them through as errors of ours."""

    def clean_credential(self) -> Any:
        credential = cast("Any", self).cleaned_data["credential"]
        if not isinstance(credential, dict):
            raise ValidationError(_CREDENTIAL_REFUSED)
        try:
            return super().clean_credential()  # type: ignore[misc]  # of the form that this is mixed into
        except ValidationError as error:
            raise ValidationError(_CREDENTIAL_REFUSED) from error
        except _UNREADABLE as error:
            services.refused(reason="passkey")
            raise ValidationError(_CREDENTIAL_REFUSED) from error


# --- The door -------------------------------------------------------------------------------------------------------
class SignInForm(account_forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    """E-mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `webauthn` lets browsers offer passkeys where addresses are typed.
        _plain(self.fields["login"], label="E-mail address", autocomplete="username webauthn", autofocus="autofocus")
        _plain(self.fields["password"], label="Password")


class CodeForm(mfa_forms.BaseAuthenticateForm):  # type: ignore[misc]  # see SignInForm
    """A code of the app, or a recovery code. Either is taken once."""

    is_repeated = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        _plain(
            field,
            label="Code",
            hint="From your authenticator app, or one of your recovery codes.",
            autofocus="autofocus",
        )
        field.widget.attrs.update({"class": "code", "autocapitalize": "off", "spellcheck": "false"})
        field.max_length = 64

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        try:
            services.knock_second_factor(user=self.user)
        except RateLimited as error:
            raise refuse_for_now(context.request, error) from error
        self.authenticator = services.spend_code(user=self.user, code=code)
        if self.authenticator is None:
            services.refused(reason="second_factor")
            raise ValidationError("This code isn't right, or it was used already.", code="incorrect_code")
        services.forget_second_factor(user=self.user)
        return code

    def save(self) -> None:
        """Note in the session that the second factor was shown."""
        post_authentication(context.request, self.authenticator, reauthenticated=self.is_repeated)


class PasskeySignInForm(_Credential, webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]  # see SignInForm
    """A passkey instead of address and password."""


class PasskeyCodeForm(_Credential, webauthn_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]  # see SignInForm
    """A passkey after the password."""


class RepeatedPasskeyForm(_Credential, webauthn_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]  # see SignInForm
    """A passkey before something sensitive."""


class RepeatedCodeForm(CodeForm):
    """A code before something sensitive."""

    is_repeated = True


class ReauthenticateForm(account_forms.ReauthenticateForm):  # type: ignore[misc]  # see SignInForm
    """The password before something sensitive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["password"], label="Password", autofocus="autofocus")


class ConfirmEmailForm(account_forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]  # see SignInForm
    """The code that was mailed to an address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["code"], label="Code", autofocus="autofocus", autocomplete="one-time-code")
        self.fields["code"].widget.attrs["class"] = "code"


class _OnePassword:
    """Leaves the repetition out: the field can show what was typed."""

    fields: dict[str, forms.Field]

    def drop_repetition(self) -> None:
        self.fields.pop("password2", None)
        _plain(self.fields["password1"], label="New password", hint=_HINT)


class ChangePasswordForm(_OnePassword, account_forms.ChangePasswordForm):  # type: ignore[misc]  # see SignInForm
    """The present password and the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drop_repetition()
        _plain(self.fields["oldpassword"], label="Present password", autofocus="autofocus")

    def clean_oldpassword(self) -> str:
        """Look at it as the door does, with its limits: whoever has a session only mustn't find it out here."""
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class NewPasswordForm(_OnePassword, account_forms.ResetPasswordKeyForm):  # type: ignore[misc]  # see SignInForm
    """The new password that a reset link lets one choose."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drop_repetition()


class SetPasswordForm(_OnePassword, account_forms.SetPasswordForm):  # type: ignore[misc]  # see SignInForm
    """A first password, for one who has none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drop_repetition()


class ResetRequestForm(forms.Form):
    """Where a reset link goes."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": "autofocus"}),
    )


class NewEmailForm(account_forms.AddEmailForm):  # type: ignore[misc]  # see SignInForm
    """The address that one wants to have. In a shop colleagues know each other's, so a taken one is said to be."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["email"], label="New e-mail address", hint="A code is mailed there.", autofocus="autofocus")

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if User.objects.filter(email=email).exclude(pk=self.user.pk).exists():
            raise get_adapter().validation_error("email_taken")
        return email


class JoinForm(forms.Form):
    """Who accepts an invitation: a name and a password."""

    display_name = forms.CharField(
        label="Your name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": "autofocus"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text=_HINT,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if password := values.get("password"):
            try:
                validate_password(password, User(email=self.email, display_name=values.get("display_name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return values


# --- Oneself --------------------------------------------------------------------------------------------------------
class ProfileForm(forms.Form):
    """How one is called and how the pages look."""

    display_name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    theme = forms.ChoiceField(label="Theme", choices=Theme.choices, widget=forms.RadioSelect)
    shortcuts = forms.BooleanField(
        label="Single-key shortcuts",
        required=False,
        help_text="Keys such as G, J or ? act on the page while you aren't typing. Ctrl K works either way.",
    )

    def preferences(self) -> dict[str, str | bool]:
        """Answer the preferences as they are stored."""
        on, off = PREFERENCES["shortcuts"]
        return {"shortcuts": on if self.cleaned_data["shortcuts"] else off}


class TotpForm(forms.Form):
    """The first code of an authenticator app, which proves that it has the secret."""

    code = forms.CharField(
        label="Code",
        max_length=16,
        help_text="The six digits that the app shows now.",
        widget=forms.TextInput(
            attrs={"class": "code", "autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": "autofocus"}
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        # It waits in the session, encrypted, between the page that shows it and the code that proves it.
        self.secret: str = get_totp_secret(regenerate=not self.is_bound)
        self.counter = -1

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        try:
            services.knock_second_factor(user=self.user)
        except RateLimited as error:
            raise refuse_for_now(context.request, error) from error
        counter = services.totp_counter(self.secret, code)
        if counter is None:
            raise ValidationError("This code isn't right. Look whether the clock of the device with the app is right.")
        services.forget_second_factor(user=self.user)
        self.counter = counter
        return code

    def forget_secret(self) -> None:
        """Take the secret out of the session."""
        clear_totp_secret(context.request)


class PasskeyForm(webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]  # see SignInForm
    """What the browser answers when it has made a passkey, and how it is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["name"], label="Name", hint="Where it is kept: phone, laptop, key ring.", maxlength="100")
        self.fields["name"].max_length = 100
        passwordless = self.fields["passwordless"]
        passwordless.label, passwordless.initial = "Sign in with it alone", True
        passwordless.help_text = "Without address and password. The device then asks for your finger, face or PIN."

    def clean(self) -> dict[str, Any]:
        if not isinstance(self.cleaned_data.get("credential"), dict):
            self.add_error("credential", _CREDENTIAL_REFUSED)
            return dict(self.cleaned_data)
        try:
            super().clean()
        except (ValidationError, *_UNREADABLE) as error:
            raise ValidationError(_CREDENTIAL_REFUSED) from error
        return dict(self.cleaned_data)


class PasskeyNameForm(forms.Form):
    """How a passkey is called."""

    name = forms.CharField(label="Name", max_length=100)


# --- Colleagues -----------------------------------------------------------------------------------------------------
class RolesField(forms.MultipleChoiceField):
    """Ticks for roles. One that holds more than who acts has can't be ticked, and isn't shown either."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=kwargs.pop("label", "Roles"), error_messages={"required": "Choose at least one role."}, **kwargs
        )


def role_choices(roles: Sequence[RoleRow]) -> list[tuple[str, str]]:
    """Answer roles as choices of a form, with what each is for."""
    return [(str(role.id), f"{role.label} – {role.description}" if role.description else role.label) for role in roles]


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The invitation is mailed there and is good for 7 days.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autofocus": "autofocus"}),
    )
    roles = RolesField()

    def __init__(self, *args: Any, grantable: Sequence[RoleRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = role_choices(grantable)  # type: ignore[attr-defined]  # a RolesField


class UserRolesForm(forms.Form):
    """Which roles a user has."""

    roles = RolesField()

    def __init__(self, *args: Any, grantable: Sequence[RoleRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = role_choices(grantable)  # type: ignore[attr-defined]  # a RolesField


class UserFilter(forms.Form):
    """How the list of users is narrowed; every value is in the URL."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    role = forms.ChoiceField(label="Role", required=False)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any state"), ("active", "Active"), ("inactive", "Deactivated")]
    )

    def __init__(self, *args: Any, roles: Sequence[RoleName | RoleRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(
            attrs={"type": "search", "placeholder": "Name or e-mail address", "autocomplete": "off"}
        )
        self.fields["role"].choices = [("", "Any role"), *((role.name, role.label) for role in roles)]  # type: ignore[attr-defined]  # a ChoiceField


class RoleForm(forms.Form):
    """A role's name and permissions; the service checks them against the catalogue, and against who acts."""

    name = forms.CharField(label="Name", max_length=60)
    permissions = forms.MultipleChoiceField(
        label="Permissions", required=False, choices=[(name, name) for name in catalogue.PERMISSIONS]
    )

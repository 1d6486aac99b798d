"""What people type about shops, turned into values, and what is wrong with it in words."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django_countries import countries

from common.paper import SlipPaper
from inventory.remarks import MAX_LENGTH
from tenants import queries, settings_schema, slugs
from tenants.choices import Currency
from tenants.queries import ShopSettings

_NAME_LENGTH = 120
_PASSWORD_HINT = "At least 8 characters. A few words you can remember are better than a short riddle."  # noqa: S105  # a hint


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in queries.time_zones()]


def _countries() -> list[tuple[str, str]]:
    return sorted(((code, str(name)) for code, name in countries), key=lambda country: country[1])


class PlaceForm(forms.Form):
    """Where a shop is and what it counts in."""

    currency = forms.ChoiceField(choices=Currency.choices, help_text="Every amount of your shop is kept in it.")
    country = forms.ChoiceField()
    timezone = forms.ChoiceField(label="Time zone", help_text="Your days begin and end by it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = _countries()  # type: ignore[attr-defined]  # a ChoiceField
        zones = _zones()
        # One that isn't in the list (an old name of a place) stays choosable.
        present = self.initial.get("timezone")
        if present and present not in dict(zones):
            zones.append((present, present))
        self.fields["timezone"].choices = zones  # type: ignore[attr-defined]  # a ChoiceField


class SignUpForm(PlaceForm):
    """A new shop and its founder."""

    name = forms.CharField(
        label="Shop name", max_length=_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    slug = forms.CharField(
        label="Address",
        max_length=slugs.MAX_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "class": "code-like"}
        ),
    )
    display_name = forms.CharField(
        label="Your name", max_length=_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="E-mail address",
        help_text="We send a code to it.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        max_length=1000,
        strip=False,
        help_text=_PASSWORD_HINT,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    field_order = ("name", "slug", "currency", "country", "timezone", "display_name", "email", "password")

    def clean_slug(self) -> str:
        return slugs.normalized(self.cleaned_data["slug"])


class CodeForm(forms.Form):
    """The code of a sign-up's mail."""

    code = forms.CharField(
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class AddressForm(forms.Form):
    """Another address for a shop that isn't open yet."""

    slug = forms.CharField(
        label="Address",
        max_length=slugs.MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_slug(self) -> str:
        return slugs.normalized(self.cleaned_data["slug"])


class FindShopForm(forms.Form):
    """A shop's address, for who wants to sign in and is on our own host."""

    slug = forms.CharField(
        label="Your shop's address",
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_slug(self) -> str:
        """Answer the label, also of who typed or pasted the whole address."""
        text = slugs.normalized(self.cleaned_data["slug"])
        host = text.removeprefix("https://").removeprefix("http://").partition("/")[0].partition(":")[0]
        return host.removesuffix(f".{settings.BASE_DOMAIN}")


class GeneralForm(PlaceForm):
    """What a shop says about itself."""

    name = forms.CharField(label="Shop name", max_length=_NAME_LENGTH)
    street = forms.CharField(max_length=120, required=False)
    street_2 = forms.CharField(label="Street, second line", max_length=120, required=False)
    postal_code = forms.CharField(max_length=16, required=False)
    city = forms.CharField(max_length=120, required=False)
    region = forms.CharField(label="State or region", max_length=120, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)
    # What stood in the form when it was opened, so that a conflict can say what it was before.
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=5000)

    field_order = (
        "version", "name", "currency", "timezone", "country", "street", "street_2", "postal_code", "city", "region"
    )  # fmt: skip
    ADDRESS = ("street", "street_2", "postal_code", "city", "region")

    @classmethod
    def values_of(cls, found: ShopSettings) -> dict[str, Any]:
        """Answer the form's values of a shop's settings."""
        values = {
            "name": found.name,
            "currency": found.currency,
            "timezone": found.timezone,
            "country": found.country,
            **found.settings.address.model_dump(),
        }
        return {"version": found.version, "seen": json.dumps(values), **values}

    @property
    def before(self) -> dict[str, str]:
        """Answer what stood in the form when it was opened; nothing where that isn't told."""
        try:
            read = json.loads(self.cleaned_data["seen"] or "{}")
        except ValueError:
            return {}
        return {name: str(value) for name, value in read.items()} if isinstance(read, dict) else {}

    @property
    def changes(self) -> dict[str, Any]:
        """Answer what the service takes."""
        values = self.cleaned_data
        return {
            "expected_version": values["version"],
            "name": values["name"],
            "currency": values["currency"],
            "time_zone": values["timezone"],
            "country": values["country"],
            "address": {line: values[line] for line in self.ADDRESS},
        }


class InventoryForm(forms.Form):
    """How a shop keeps its stock."""

    remarks_pattern = forms.CharField(
        label="Locations in remarks",
        max_length=MAX_LENGTH,
        required=False,
        help_text="How your remarks name it, such as {location} | {text} or Loc: {location}. Empty: not at all.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    stale_after_days = forms.IntegerField(
        label="Stale after days",
        min_value=1,
        max_value=settings_schema.MAX_STALE_DAYS,
        help_text="A lot that sold nothing for so long is stale.",
    )
    identifies_photos = forms.BooleanField(
        label="Identify photos",
        required=False,
        help_text="Photos that you take to learn what something is leave your shop: they go to Brickognize, small and"
        " without camera data. Switched off, none does.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def values_of(cls, found: ShopSettings) -> dict[str, Any]:
        """Answer the form's values of a shop's settings."""
        return {
            "version": found.version,
            "remarks_pattern": found.settings.remarks_pattern,
            "stale_after_days": found.settings.stale_after_days,
            "identifies_photos": found.settings.identifies_photos,
        }

    @property
    def changes(self) -> dict[str, Any]:
        """Answer what the service takes."""
        values = self.cleaned_data
        return {
            "expected_version": values["version"],
            "remarks_pattern": values["remarks_pattern"],
            "stale_after_days": values["stale_after_days"],
            "identifies_photos": values["identifies_photos"],
        }


class OrdersForm(forms.Form):
    """How the shop deals with orders and buyers."""

    buyer_retention_months = forms.IntegerField(
        label="Forget buyers after months",
        min_value=0,
        max_value=settings_schema.MAX_RETENTION_MONTHS,
        help_text="Who ordered nothing for so long: name, address and notes are deleted, figures stay. 0: never.",
    )
    vat_text = forms.CharField(
        label="Tax line on papers",
        max_length=120,
        required=False,
        help_text="Such as VAT ID DE123456789. It stands on packing slips and invoices.",
    )
    document_text = forms.CharField(
        label="Word to the buyer",
        max_length=settings_schema.MAX_DOCUMENT_TEXT,
        required=False,
        help_text="At the foot of packing slips and invoices.",
        widget=forms.Textarea(attrs={"rows": "3"}),
    )
    slip_paper = forms.ChoiceField(label="Packing slips on", choices=SlipPaper.choices)
    has_slip_pictures = forms.BooleanField(label="Pictures on packing slips", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def values_of(cls, found: ShopSettings) -> dict[str, Any]:
        """Answer the form's values of a shop's settings."""
        names = ("buyer_retention_months", "vat_text", "document_text", "slip_paper", "has_slip_pictures")
        return {"version": found.version, **{name: getattr(found.settings, name) for name in names}}

    @property
    def changes(self) -> dict[str, Any]:
        """Answer what the service takes."""
        values = dict(self.cleaned_data)
        values["document_text"] = values["document_text"].replace("\r\n", "\n")
        return {"expected_version": values.pop("version"), **values}


class DeletionForm(forms.Form):
    """What an owner types before all of a shop goes."""

    name = forms.CharField(
        label="The shop's name", max_length=_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label="Your password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

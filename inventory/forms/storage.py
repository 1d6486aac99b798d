"""What people type about locations, counts, moves and purchases, turned into values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from common.errors import Invalid, ProblemError
from inventory.choices import CostSpread
from inventory.codes import CODE_LENGTH, PART_LENGTH
from inventory.models import Location, Purchase
from inventory.queries.locations import STATES
from inventory.services.locations import PARTS

_MOST = 2**31 - 1
_PLAIN = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


def add_errors(form: forms.BaseForm, error: ProblemError) -> None:
    """Show what a service refused beside the fields that it names by JSON pointer, or above them all."""
    pointers = error.errors if isinstance(error, Invalid) else {}
    for pointer, messages in pointers.items():
        name = pointer.strip("/").partition("/")[0]
        form.add_error(name if name in form.fields else None, [*messages])
    if not pointers:
        form.add_error(None, error.detail or error.title)


def as_uuid(text: str) -> UUID | None:
    """Answer the key that the text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


# --- Locations ------------------------------------------------------------------------------------------------------
class LocationFilter(forms.Form):
    """How the list of locations is narrowed; every value is in the URL, and so is the part of the storage."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=CODE_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Code, such as A-03", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any state"), *STATES.items()])


class LocationForm(forms.Form):
    """A location."""

    code = forms.CharField(
        max_length=CODE_LENGTH, help_text="What stands on its label, such as A-03-2.", widget=forms.TextInput(_PLAIN)
    )
    zone = forms.CharField(required=False, max_length=PART_LENGTH)
    aisle = forms.CharField(required=False, max_length=PART_LENGTH)
    shelf = forms.CharField(required=False, max_length=PART_LENGTH)
    bin = forms.CharField(required=False, max_length=PART_LENGTH)
    capacity = forms.IntegerField(
        required=False, min_value=1, max_value=_MOST, help_text="How many lots fit in. Empty: any number."
    )
    sort_order = forms.IntegerField(
        label="Route order",
        required=False,
        min_value=-_MOST,
        max_value=_MOST,
        help_text="Lower numbers are walked to first; equal ones in the order of their codes.",
    )
    is_active = forms.BooleanField(
        label="In use", required=False, initial=True, help_text="What isn't in use takes nothing new."
    )

    @classmethod
    def values_of(cls, location: Location) -> dict[str, Any]:
        """Answer the form's values of a location."""
        return {name: getattr(location, name) for name in cls.base_fields}

    @property
    def values(self) -> dict[str, Any]:
        """Answer what the services take. Parts that are all empty are left out, and then read from the code."""
        made = dict(self.cleaned_data)
        made["sort_order"] = made["sort_order"] or 0
        if not any(made[name] for name in PARTS):
            for name in PARTS:
                del made[name]
        return made


class GenerateForm(forms.Form):
    """A range of locations."""

    first = forms.CharField(label="First code", max_length=CODE_LENGTH, widget=forms.TextInput(_PLAIN))
    last = forms.CharField(
        label="Last code",
        max_length=CODE_LENGTH,
        widget=forms.TextInput(_PLAIN),
        help_text="Each number and letter runs by itself: A-01-1 to A-20-6 are 120 locations.",
    )
    capacity = forms.IntegerField(
        required=False, min_value=1, max_value=_MOST, help_text="How many lots fit in each. Empty: any number."
    )


class DeleteLocationForm(forms.Form):
    """Where the contents of a location go that is deleted."""

    move_to = forms.CharField(
        label="Its contents go to",
        required=False,
        max_length=CODE_LENGTH,
        widget=forms.TextInput(_PLAIN),
        help_text="The code of another location.",
    )


class MoveForm(forms.Form):
    """From where, what, how many, to where; each field takes a scanner."""

    source = forms.CharField(
        label="From",
        required=False,
        max_length=200,
        widget=forms.TextInput({**_PLAIN, "data-scan": ""}),
        help_text="Scan or type a location. Empty: pieces that have no place yet.",
    )
    what = forms.CharField(
        label="What",
        max_length=200,
        widget=forms.TextInput({**_PLAIN, "data-scan": ""}),
        help_text="Scan a lot's label, or type its item number.",
    )
    qty = forms.IntegerField(
        label="Pieces", required=False, min_value=1, max_value=_MOST, help_text="Empty: all that are there."
    )
    target = forms.CharField(
        label="To",
        required=False,
        max_length=200,
        widget=forms.TextInput({**_PLAIN, "data-scan": ""}),
        help_text="Scan or type a location. Empty: take them out, so that they have no place.",
    )


class MoveAllForm(forms.Form):
    """Where all that lies at a place goes."""

    target = forms.CharField(
        label="Move everything to", max_length=200, widget=forms.TextInput({**_PLAIN, "data-scan": ""})
    )


# --- Purchases ------------------------------------------------------------------------------------------------------
class PurchaseForm(forms.Form):
    """A purchase."""

    name = forms.CharField(max_length=200, help_text="How you know it again, such as Flea market, blue box.")
    bought_from = forms.CharField(max_length=200, required=False)
    purchase_date = forms.DateField(
        label="Date",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Sales count from then.",
    )
    total_cost = forms.DecimalField(
        max_digits=10,
        decimal_places=2,
        min_value=Decimal(0),
        help_text="Of everything, with shipping and fees, in your shop's currency.",
    )
    spread = forms.ChoiceField(
        label="Cost is spread",
        choices=CostSpread.choices,
        widget=forms.RadioSelect,
        initial=CostSpread.VALUE,
        help_text="By list price, a lot that is worth twice as much carries twice as much of the cost.",
    )
    notes = forms.CharField(required=False, max_length=5000, widget=forms.Textarea)

    @classmethod
    def values_of(cls, purchase: Purchase) -> dict[str, Any]:
        """Answer the form's values of a purchase."""
        return {name: getattr(purchase, name) for name in cls.base_fields}


class QuantityForm(forms.Form):
    """How many pieces a purchase brought."""

    qty = forms.IntegerField(
        label="Pieces", required=False, min_value=1, max_value=_MOST, help_text="Empty: all that are on hand."
    )


class AddToPurchaseForm(QuantityForm):
    """Which purchase a lot came with, and how many pieces."""

    purchase = forms.ChoiceField()

    field_order = ("purchase", "qty")

    def __init__(self, *args: Any, purchases: list[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purchase"].choices = [(str(key), name) for key, name in purchases]  # type: ignore[attr-defined]  # a ChoiceField


# --- Numbers by lot -------------------------------------------------------------------------------------------------
def quantities(posted: Mapping[str, Any], prefix: str) -> tuple[dict[UUID, int], list[str]]:
    """Answer the numbers that were typed into fields named `prefix` and a key, and which names aren't numbers.

    An empty field says nothing.
    """
    found: dict[UUID, int] = {}
    wrong = []
    for name in posted:
        key = as_uuid(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if key is None:
            continue
        text = str(posted[name]).strip().replace(",", "").replace(" ", "")
        if text.isdecimal() and text.isascii() and int(text) <= _MOST:
            found[key] = int(text)
        elif text:
            wrong.append(name)
    return found, wrong

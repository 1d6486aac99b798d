"""What people type about their own mappings, turned into values."""

from typing import Any

from django import forms
from django.urls import reverse_lazy

from catalog.choices import ItemType
from common.errors import Invalid
from inventory.choices import NumberSystem
from inventory.forms.lots import typed
from inventory.models import ItemMapping

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_NUMBER, _COLOR, _COLOR_NAME = 60, 20, 80


def color_id_of(text: str) -> int | None:
    """Answer the color of that name or number, None for none. Raises Invalid."""
    found: int | None = typed("color_id", text)
    return found


class MappingFilter(forms.Form):
    """How the list of own mappings is narrowed; every value is in the URL."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=_NUMBER,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Number, there or here", "autocomplete": "off"}),
    )
    system = forms.ChoiceField(label="Platform", required=False, choices=[("", "Any platform"), *NumberSystem.choices])


class MeaningForm(forms.Form):
    """Which item a number means."""

    item_no = forms.CharField(
        label="Is the item",
        max_length=_NUMBER,
        widget=forms.TextInput(
            {**_PLAIN, "data-choose": reverse_lazy("inventory:offered_items"), "data-kind": "item_type"}
        ),
    )
    item_type = forms.ChoiceField(label="Type", choices=ItemType, initial=ItemType.PART)
    color = forms.CharField(
        label="In the color",
        required=False,
        max_length=_COLOR_NAME,
        widget=forms.TextInput({**_PLAIN, "list": "color-names"}),
        help_text="Only where the number says the color too, as LEGO's element ids do.",
    )

    def clean_color(self) -> int | None:
        """Answer the color that is meant."""
        try:
            return color_id_of(self.cleaned_data["color"])
        except Invalid as error:
            raise forms.ValidationError([text for texts in error.errors.values() for text in texts]) from None

    @property
    def values(self) -> dict[str, Any]:
        """Answer what the service takes."""
        data = dict(self.cleaned_data)
        data["color_id"] = data.pop("color")
        return data


class MappingForm(MeaningForm):
    """A mapping that is added by hand."""

    system = forms.ChoiceField(label="Platform", choices=NumberSystem, initial=NumberSystem.BRICKOWL)
    external_id = forms.CharField(label="Number there", max_length=_NUMBER, widget=forms.TextInput(_PLAIN))
    external_color = forms.CharField(
        label="In the platform's color",
        required=False,
        max_length=_COLOR,
        widget=forms.TextInput(_PLAIN),
        help_text="The platform's own number of a color. Empty: in any color.",
    )


def meaning_of(mapping: ItemMapping, color_name: str) -> dict[str, str]:
    """Answer the form's values of a mapping."""
    return {"item_no": mapping.item_no, "item_type": mapping.item_type, "color": color_name}

"""The form of a set that is taken apart."""

from decimal import Decimal

from django import forms

from inventory.choices import ItemCondition
from inventory.forms.importing import AmountField
from inventory.forms.pricing import BASES
from inventory.part_out import Choices, terms_of
from inventory.queries.part_out import FIGURES_NONE, FIGURES_PARTS, FIGURES_WHOLE

_LIMIT = Decimal(10) ** 7
_MOST = 1000
_LEFT_OUT = 5000


class PartOutForm(forms.Form):
    """Which set, and how it is taken apart. All of it is in the address."""

    set = forms.CharField(
        label="Set number",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "Such as 40332-1"}),
    )
    times = forms.IntegerField(label="How many", min_value=1, max_value=_MOST, initial=1)
    condition = forms.ChoiceField(choices=ItemCondition, initial=ItemCondition.NEW)
    figures = forms.ChoiceField(
        label="Minifigures",
        choices=[(FIGURES_WHOLE, "As figures"), (FIGURES_PARTS, "As parts"), (FIGURES_NONE, "Leave out")],
        initial=FIGURES_WHOLE,
    )
    spares = forms.ChoiceField(label="Spare parts", choices=[("yes", "With spares"), ("no", "Without")], initial="yes")
    default_price = AmountField(
        label="Price of what is new",
        required=False,
        min_value=Decimal(0),
        max_value=_LIMIT,
        decimal_places=4,
        help_text="A piece. What you have already keeps its price.",
    )
    price_from = forms.ChoiceField(
        label="Price of what is new from",
        required=False,
        choices=[("", "What you say"), *BASES],
        help_text="The price guide, rounded to 0.01. Where it has nothing, what you say is taken.",
    )
    factor = AmountField(
        label="Times", required=False, min_value=Decimal("0.0001"), max_value=Decimal(1000), decimal_places=4, initial=1
    )
    total_cost = AmountField(
        label="What the sets cost",
        required=False,
        min_value=Decimal(0),
        max_value=_LIMIT,
        decimal_places=2,
        help_text="All of them together. It is spread over the lots by their value.",
    )
    places = forms.BooleanField(label="Put each to the place that suits it best", required=False)

    def choices(self, left_out: list[str]) -> Choices:
        """Answer how the set is taken apart."""
        data = self.cleaned_data
        return Choices(
            times=data["times"],
            condition=data["condition"],
            with_spares=data["spares"] == "yes",
            default_price=data["default_price"],
            terms=terms_of(data["price_from"], data["factor"]),
            total_cost=data["total_cost"],
            left_out=frozenset(left_out[:_LEFT_OUT]),
        )

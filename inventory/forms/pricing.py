"""Forms of repricing: how prices are made, and the rules that say for which lots."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms

from inventory.choices import Schedule
from inventory.forms.importing import AmountField
from inventory.models import RepricingRule
from inventory.repricing import BASIS_WORDS, Basis, Rounding, Terms
from inventory.services.repricing.rules import MOST_SALES, NAME_LENGTH, terms_errors

ALL, PRESENT = "all", "present"
BASES = [(each.value, f"{words[0].upper()}{words[1:]}") for each, words in BASIS_WORDS.items()]
_ROUNDINGS = [
    (Rounding.UNIT.value, "Four decimals"),
    (Rounding.MILL.value, "Three decimals"),
    (Rounding.CENT.value, "0.01"),
    (Rounding.FIVE.value, "0.05"),
    (Rounding.TEN.value, "0.10"),
    (Rounding.ENDS_95.value, "Ends in .95, from 1.00 on"),
    (Rounding.ENDS_99.value, "Ends in .99, from 1.00 on"),
]
_FIELDS = (
    "basis", "factor", "amount", "rounding", "floor", "cost_factor", "ceiling", "cap_percent", "min_sales", "fallback",
    "scales_tiers",
)  # fmt: skip


def _amount(label: str, help_text: str = "", *, places: int = 4) -> AmountField:
    return AmountField(label=label, required=False, decimal_places=places, max_digits=12, help_text=help_text)


class TermsForm(forms.Form):
    """How prices are made."""

    basis = forms.ChoiceField(label="Price from", choices=BASES, initial=Basis.SOLD_AVG.value)
    factor = AmountField(label="Times", initial=1, decimal_places=4, max_digits=12)
    amount = _amount("Plus", "A piece; below 0 it is taken off.")
    rounding = forms.ChoiceField(label="Rounded to", choices=_ROUNDINGS, initial=Rounding.CENT.value)
    floor = _amount("Not below")
    cost_factor = _amount("Not below cost ×", "Of lots whose cost is known, such as 1.3.")
    ceiling = _amount("Not above")
    cap_percent = _amount("At most % at once", "How far a price moves in one run. The limits below go first.", places=1)
    min_sales = forms.IntegerField(
        label="Trusted from",
        required=False,
        min_value=0,
        max_value=MOST_SALES,
        help_text="Sales in six months, or offers. With fewer the price is kept.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    fallback = forms.ChoiceField(
        label="Else from",
        required=False,
        choices=[("", "Keep the price"), *BASES],
        help_text="Where there is no such figure, or it isn't trusted.",
    )
    scales_tiers = forms.BooleanField(label="Tier prices go along by the same share", required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        """Have the rules of the service told at their fields."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["amount"] = cleaned.get("amount") or Decimal(0)
        cleaned["min_sales"] = cleaned.get("min_sales") or 0
        if not self.errors:
            for pointer, messages in terms_errors(cleaned).items():
                self.add_error(pointer.removeprefix("/"), " ".join(messages))
        return cleaned

    def values(self) -> dict[str, Any]:
        """Answer what was chosen, as a rule has it."""
        return {name: self.cleaned_data[name] for name in _FIELDS}

    def terms(self) -> Terms:
        """Answer how prices are made."""
        values = self.values()
        values |= {"basis": Basis(values["basis"]), "rounding": Rounding(values["rounding"])}
        return Terms(**{**values, "fallback": Basis(values["fallback"]) if values["fallback"] else None})

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """Answer the fields as they stand beside each other."""
        lines = (
            ("basis", "factor", "amount"), ("rounding", "cap_percent"), ("floor", "cost_factor", "ceiling"),
            ("min_sales", "fallback"),
        )  # fmt: skip
        return [[self[name] for name in line] for line in lines]


class RuleForm(TermsForm):
    """A rule: which lots, how, and when."""

    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    lots = forms.ChoiceField(label="Lots", help_text="All, or those of a saved view: its filters are copied.")
    schedule = forms.ChoiceField(label="Runs", choices=Schedule.choices, initial=Schedule.NONE.value)
    guard_percent = AmountField(
        label="Asks above %",
        initial=10,
        decimal_places=1,
        max_digits=5,
        help_text="A run by itself that would move more of the lots' value than this waits for you.",
    )
    is_active = forms.BooleanField(
        label="Active", required=False, initial=True, help_text="What is off covers no lots, and leaves them to others."
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, query: str, query_words: str, views: Iterable[tuple[str, str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._queries: dict[str, str] = {ALL: "", PRESENT: query}
        choices = [(ALL, "All lots")]
        if query:
            choices.insert(0, (PRESENT, query_words))
        for key, name, view_query in views:
            self._queries[key] = view_query
            choices.append((key, f"View “{name}”"))
        lots = self.fields["lots"]
        assert isinstance(lots, forms.ChoiceField)  # noqa: S101  # for the type checker
        lots.choices = choices
        lots.initial = choices[0][0]

    def rule_values(self) -> dict[str, Any]:
        """Answer what was chosen, as a rule has it."""
        own = {name: self.cleaned_data[name] for name in ("name", "schedule", "guard_percent", "is_active")}
        return {**self.values(), **own, "query": self._queries[self.cleaned_data["lots"]]}

    @staticmethod
    def initial_of(rule: RepricingRule) -> Mapping[str, Any]:
        """Answer a rule as the form shows it."""
        values = {name: getattr(rule, name) for name in (*_FIELDS, "name", "schedule", "guard_percent", "is_active")}
        shown = {
            name: f"{value.normalize():f}" if isinstance(value, Decimal) else value for name, value in values.items()
        }
        return {**shown, "amount": shown["amount"] if rule.amount else "", "version": rule.version,
                "min_sales": rule.min_sales or ""}  # fmt: skip

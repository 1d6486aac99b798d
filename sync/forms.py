"""What people choose about a run, turned into values."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms

from stores.channels import LotField
from stores.models import Store
from sync.choices import Direction
from sync.queries.runs import FIELD_LABELS
from sync.services.runs.options import Crowds, Differs, NewThere

_FIELDS = [(each.value, FIELD_LABELS[each.value].capitalize()) for each in LotField if each is not LotField.QTY]
_FLAGS = ("lists_new", "removes", "accepts_few")


def _uuid(text: str) -> UUID:
    return UUID(str(text))


class RunForm(forms.Form):
    """Which stores a run compares, which way, and what it may do."""

    source = forms.TypedChoiceField(label="From", coerce=_uuid)
    target = forms.TypedChoiceField(label="To", coerce=_uuid)
    direction = forms.ChoiceField(
        label="Which way", widget=forms.RadioSelect, initial=Direction.SOURCE_TO_TARGET, choices=[
            (Direction.SOURCE_TO_TARGET, "The second follows the first"),
            (Direction.BIDIRECTIONAL, "Both get what they lack"),
        ],
    )  # fmt: skip
    differs = forms.ChoiceField(
        label="Where both have a lot and differ", initial=Differs.PRIMARY,
        help_text="Only where they never agreed before. Otherwise whoever changed it counts.", choices=[
            (Differs.PRIMARY, "The first one counts; both ways, the primary store"),
            (Differs.NEWEST, "The newest change counts"), (Differs.LOWEST, "The lower quantity counts"),
            (Differs.ASK, "Ask me"),
        ],
    )  # fmt: skip
    new_there = forms.ChoiceField(
        label="Lots that are only in a store", widget=forms.RadioSelect, initial=NewThere.IMPORT, choices=[
            (NewThere.IMPORT, "Bring them into your stock"), (NewThere.LEAVE, "Leave them there, and nothing more"),
        ],
    )  # fmt: skip
    crowds = forms.ChoiceField(
        label="Several lots of one kind against fewer", initial=Crowds.SEPARATE, choices=[
            (Crowds.SEPARATE, "Keep each as a lot of its own"), (Crowds.MERGE, "Put their pieces together"),
            (Crowds.FIRST, "Take the first, leave the others alone"),
        ],
    )  # fmt: skip
    lists_new = forms.BooleanField(label="List lots that aren't there yet", required=False, initial=True)
    removes = forms.BooleanField(
        label="Take listings away whose lot is gone", required=False, initial=True,
        help_text="Only those that were listed from here. What was added there is never taken away.",
    )  # fmt: skip
    fields_compared = forms.MultipleChoiceField(
        label="Fields", required=False, widget=forms.CheckboxSelectMultiple, choices=_FIELDS,
        initial=[name for name, _ in _FIELDS], help_text="A quantity always is.",
    )  # fmt: skip
    accepts_few = forms.BooleanField(
        label="Believe a store that has far fewer lots than the last time", required=False,
        help_text="Else such an answer stops the run: it may be half of one.",
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=36)

    def __init__(self, *args: Any, stores: Iterable[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(store.pk), store.stock_name) for store in stores]
        for name in ("source", "target"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # it is one of choices

    @classmethod
    def initial_of(cls, direction: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the form's values of a run that was."""
        known = {name: options[name] for name in ("differs", "new_there", "crowds", *_FLAGS) if name in options}
        fields = options.get("fields")
        return {**known, "direction": direction, **({} if fields is None else {"fields_compared": fields})}

    def clean(self) -> dict[str, Any]:
        """Have two stores chosen."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("source") and cleaned.get("source") == cleaned.get("target"):
            self.add_error("target", "Choose another store than the one that it is compared with.")
        return cleaned

    def options(self) -> dict[str, Any]:
        """Answer what was chosen, as a run takes it."""
        chosen = self.cleaned_data["fields_compared"]
        options = {name: self.cleaned_data[name] for name in ("differs", "new_there", "crowds", *_FLAGS)}
        return {**options, "fields": None if len(chosen) == len(_FIELDS) else chosen}


class PlanFilterForm(forms.Form):
    """What narrows the lines of a plan."""

    q = forms.CharField(
        label="Search lines", required=False, max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": "Number, name, color", "autocomplete": "off"}),
    )  # fmt: skip
    color = forms.ChoiceField(label="Color", required=False)
    price = forms.ChoiceField(
        label="Price",
        required=False,
        choices=[
            ("", "Any price"),
            ("up", "Price rises"),
            ("down", "Price falls"),
            ("same", "Price stays"),
        ],
    )
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[("", "Most money first"), ("item", "By number"), ("plan", "As planned")]
    )

    def __init__(self, *args: Any, colors: Iterable[tuple[int, str, int]], **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "plan-%s")
        super().__init__(*args, **kwargs)
        known = [(str(color_id), f"{name} ({count:,})") for color_id, name, count in colors]
        self.fields["color"].choices = [("", "All colors"), *known]  # type: ignore[attr-defined]  # it is one of choices

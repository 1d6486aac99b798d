"""Reads the log's filters from the address, and the decisions of a revert from its form."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from audit.queries import Choices, Filters
from audit.services import Decision
from common import workspace

# Days that can be counted from and to; others are mistakes.
_DAYS = (MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(9000, 1, 1)))

PAGE_SIZES = (50, 100, 200)
_SEARCH_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter; `unknown` if its value means nothing here. `remove_url` is the same list without it."""

    label: str
    remove_url: str
    unknown: bool = False


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


class LogFilters(forms.Form):
    """The filter row of the log. Values that it doesn't know stay in the address and are shown as such."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=_SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, reason or id", "class": "search"}),
    )
    actor = forms.ChoiceField(label="Who", required=False)
    action = forms.ChoiceField(label="What", required=False)
    entity_type = forms.ChoiceField(label="Entity", required=False)
    field = forms.ChoiceField(label="Field", required=False)
    since = forms.DateField(
        label="From", required=False, validators=_DAYS, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="To", required=False, validators=_DAYS, widget=forms.DateInput(attrs={"type": "date"})
    )
    # From links of other pages; there are no controls for them.
    entity_id = forms.CharField(label="Entity id", required=False, max_length=_SEARCH_LENGTH)
    source = forms.ChoiceField(label="Through", required=False)

    def __init__(self, data: QueryDict, *, choices: Choices) -> None:
        super().__init__(data)
        self.query = data
        for name, everything, found in (
            ("actor", "Anybody", choices.actors),
            ("action", "Anything", choices.actions),
            ("entity_type", "Any entity", choices.entity_types),
            ("field", "Any field", choices.fields),
            ("source", "Anything", choices.sources),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  # as declared above
            field.choices = [("", everything), *found]

    @property
    def controls(self) -> list[forms.BoundField]:
        """Answer the fields that the filter row shows."""
        return [self[name] for name in ("q", "actor", "action", "entity_type", "field", "since", "until")]

    def _given(self, name: str) -> str:
        return str(self.query.get(name, "")).strip()

    def _day(self, name: str) -> date | None:
        found: date | None = self.cleaned_data.get(name)
        return found

    def filters(self) -> Filters:
        """Answer what the list is narrowed to. A value that isn't known leaves nothing, rather than everything."""
        self.is_valid()
        zone = workspace.current().zone
        since, until = self._day("since"), self._day("until")
        return Filters(
            actor=self._given("actor"),
            action=self._given("action"),
            source=self._given("source"),
            entity_type=self._given("entity_type"),
            entity_id=self._given("entity_id")[:_SEARCH_LENGTH],
            field=self._given("field"),
            since=_start_of(since, zone) if since else None,
            until=_start_of(until + timedelta(days=1), zone) if until else None,
            text=self._given("q")[:_SEARCH_LENGTH].replace("\x00", ""),
        )

    def chips(self, base: str) -> list[Chip]:
        """Answer the active filters, each with the address of the list without it."""
        self.is_valid()
        found = []
        for bound in self:
            value = self._given(bound.name)
            if not value:
                continue
            rest = self.query.copy()
            for name in (bound.name, "cursor", "start"):
                rest.pop(name, None)
            query = rest.urlencode()
            found.append(
                Chip(
                    label=f"{bound.label}: {self._shown(bound, value)}",
                    remove_url=f"{base}?{query}" if query else base,
                    unknown=bound.name in self.errors,
                )
            )
        return found

    def _shown(self, bound: forms.BoundField, value: str) -> str:
        choices: Iterable[Any] = getattr(bound.field, "choices", ())
        known = {str(key): str(words) for key, words in choices}
        day = self.cleaned_data.get(bound.name)
        return f"{day:%-d %b %Y}" if isinstance(day, date) else known.get(value, value)


def page_size(data: QueryDict) -> int:
    """Answer how many rows a page has: one of the offered sizes."""
    given = data.get("limit", "")
    return int(given) if given.isdecimal() and int(given) in PAGE_SIZES else PAGE_SIZES[0]


def first_number(data: QueryDict) -> int:
    """Answer the number of the page's first row, as the address says."""
    given = data.get("start", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 1  # noqa: PLR2004  # more than there can be rows


def decisions(data: QueryDict) -> list[Decision]:
    """Answer which conflicts go back all the same: `take=Role:<id>:<field>`, once for each."""
    found = []
    for text in data.getlist("take"):
        entity_type, _, rest = text.partition(":")
        entity_id, _, field = rest.partition(":")
        found.append(Decision(entity_type, entity_id, field))
    return found


def entity(data: QueryDict) -> tuple[str, str] | None:
    """Answer the one entity that a revert is limited to, if it is."""
    entity_type, entity_id = data.get("entity_type", ""), data.get("entity_id", "")
    return (entity_type, entity_id) if entity_type and entity_id else None

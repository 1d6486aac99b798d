"""The form of how a shop picks: what was typed about its storage, read into a map."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from inventory.forms.importing import AmountField
from inventory.models import Location
from picker.choices import Layout, WhereFrom
from picker.models import MapPoint, PickingSetup
from picker.queries.maps import Aisle
from picker.routing import Point
from picker.services.setup import MOST_BLOCKS, Coordinates

_TAB = "\t"
_NUMBER = r"-?\d+(?:[.,]\d+)?"
_LINE = re.compile(rf"(?P<code>\S.*?)[\s;,]+(?P<x>{_NUMBER})[\s;,]+(?P<y>{_NUMBER})", re.ASCII)
_LENGTH, _PROBLEMS = 400_000, 5
# What each layout asks for; what another one asks isn't looked at.
_OF_AISLES = ("blocks", "spacing", "length")
_OF_POINTS = ("depot_x", "depot_y", "points")


def _metres(label: str, help_text: str = "", *, digits: int = 6) -> AmountField:
    return AmountField(label=label, max_digits=digits, decimal_places=2, help_text=help_text)


class SetupForm(forms.Form):
    """How a shop picks. `aisles` are read beside the fields: they are a list, in the order of the page."""

    where_from = forms.ChoiceField(
        label="A lot that lies in several places is taken from",
        choices=WhereFrom.choices,
        widget=forms.RadioSelect,
    )
    weight_tolerance = forms.IntegerField(
        label="A scale may be off by, in percent",
        help_text="Of what an order's lots should weigh, before it counts as too light or too heavy.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    layout = forms.ChoiceField(label="Map of the storage", choices=Layout.choices, widget=forms.RadioSelect)
    blocks = forms.IntegerField(
        label="Blocks",
        help_text="1 where aisles are joined in front and at the back; one more for each cross aisle between.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    spacing = _metres("Metres from aisle to aisle", digits=5)
    length = _metres("Metres of an aisle, in one block")
    depot_x = _metres("Start, metres from the left", digits=7)
    depot_y = _metres("Start, metres from the front", digits=7)
    points = forms.CharField(
        label="Places",
        required=False,
        max_length=_LENGTH,
        help_text="One a line: code, metres from the left, metres from the front. Pasted from a spreadsheet, too.",
        widget=forms.Textarea(attrs={"rows": 10, "class": "code-like", "spellcheck": "false"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.placed: dict[UUID, Coordinates] = {}

    @classmethod
    def values_of(cls, setup: PickingSetup) -> dict[str, Any]:
        """Answer what the form shows of stored settings."""
        plain = {name: getattr(setup, name) for name in cls.base_fields if name != "points"}
        return {**plain, "points": points_text()}

    def clean(self) -> dict[str, Any]:
        """Read the places, and pass over what another layout than the chosen one asks."""
        layout = self.cleaned_data.get("layout")
        if layout != Layout.AISLES:
            self._pass_over(_OF_AISLES)
        if layout != Layout.FREE:
            self._pass_over(_OF_POINTS)
        elif "points" in self.cleaned_data:
            self.placed, problems = read_points(self.cleaned_data["points"])
            if problems:
                self.add_error("points", problems[:_PROBLEMS])
        return self.cleaned_data

    def _pass_over(self, names: Sequence[str]) -> None:
        for name in names:
            self.errors.pop(name, None)
            self.cleaned_data.pop(name, None)

    def values(self, aisles: Sequence[Aisle], depot: Aisle | None) -> dict[str, Any]:
        """Answer what is to be stored. `depot`: in front of which of the aisles the walk begins."""
        kept = {name: value for name, value in self.cleaned_data.items() if name not in ("points", "version")}
        if kept["layout"] == Layout.AISLES:
            kept["aisles"] = [{"zone": zone, "aisle": aisle} for zone, aisle in aisles]
            kept["depot_aisle"] = aisles.index(depot) if depot in aisles else 0
        return kept

    def drawn(self, setup: PickingSetup, aisles: Sequence[Aisle], depot: Aisle | None) -> PickingSetup:
        """Answer the settings as they are typed so far, not saved; what makes no sense is as it was."""
        self.is_valid()
        self.cleaned_data.setdefault("layout", setup.layout)
        for name, value in self.values(aisles, depot).items():
            if _is_drawable(name, value):
                setattr(setup, name, value)
        return setup

    def drawn_points(self) -> dict[UUID, Point]:
        """Answer where the places are that were typed."""
        return {key: Point(float(x), float(y)) for key, (x, y) in self.placed.items()}


_DRAWABLE = {"spacing": (0.01, 500), "length": (0.01, 500), "blocks": (1, MOST_BLOCKS)}


def _is_drawable(name: str, value: Any) -> bool:
    """Tell whether a plan can be drawn with a value; what is wrong with it is said when it is saved."""
    limits = _DRAWABLE.get(name)
    return limits is None or bool(limits[0] <= value <= limits[1])


# --- Aisles, in the order of the page -------------------------------------------------------------------------------
def aisles_of_post(posted: QueryDict) -> list[Aisle]:
    """Answer the aisles that the page has on its map, as they stand there."""
    return [aisle for text in posted.getlist("aisle") if (aisle := aisle_of(text))]


def aisle_of(text: str) -> Aisle | None:
    """Answer the aisle that a form names, if it names one."""
    zone, tab, aisle = text.partition(_TAB)
    return (zone, aisle) if tab else None


def aisle_key(zone: str, aisle: str) -> str:
    """Answer how a form names an aisle."""
    return f"{zone}{_TAB}{aisle}"


# --- Points, as text ------------------------------------------------------------------------------------------------
def points_text() -> str:
    """Answer where the stored places are, one a line, in the order of the locations."""
    rows = MapPoint.objects.order_by("location__route_key", "location_id").values_list("location__code", "x", "y")
    return "\n".join(f"{code}  {x.normalize():f}  {y.normalize():f}" for code, x, y in rows)


def read_points(text: str) -> tuple[dict[UUID, Coordinates], list[str]]:
    """Answer where the places of a text are, and what is wrong with its lines. One query."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    problems, read = [], []
    for number, line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            problems.append(f"Line {number}: a code, then two numbers in metres.")
        else:
            read.append((number, found["code"], (_number(found["x"]), _number(found["y"]))))
    known = _locations({code.casefold() for _number, code, _at in read})
    placed: dict[UUID, Coordinates] = {}
    for number, code, at in read:
        key = known.get(code.casefold())
        if key is None:
            problems.append(f"Line {number}: there is no location {code}.")
        elif key in placed:
            problems.append(f"Line {number}: {code} stands here twice.")
        else:
            placed[key] = at
    return placed, problems


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _locations(codes: set[str]) -> Mapping[str, UUID]:
    rows = Location.objects.values_list("code", "pk") if codes else []
    return {code.casefold(): key for code, key in rows if code.casefold() in codes}

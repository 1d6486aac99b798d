"""How a run goes about its work, as whoever starts it says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from common.errors import Invalid
from stores.channels import LotField


class NewThere(StrEnum):
    """What becomes of a lot that is on a channel and not here. It is never removed there."""

    IMPORT = "import"
    LEAVE = "leave"


class Crowds(StrEnum):
    """What becomes of several lots of one kind on one side, and fewer on the other."""

    # Each is a lot of its own, on both sides.
    SEPARATE = "separate"
    # The pieces of those that are more go into the ones that have a partner.
    MERGE = "merge"
    # The first of them counts; the others are left alone.
    FIRST = "first"


class Differs(StrEnum):
    """Whose word counts where both have a lot and never agreed on how it stands."""

    # The source's; where both get what they lack, the primary store's, else the source's.
    PRIMARY = "primary"
    NEWEST = "newest"
    LOWEST = "lowest"
    ASK = "ask"


_LONGEST = 2_000
_CHOICES: Mapping[str, type[StrEnum]] = {"new_there": NewThere, "crowds": Crowds, "differs": Differs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What whoever starts a run may choose. `fields`: those that are compared, beside the quantity; None: all.

    `lots`: a filter of the list of lots; those of ours that it doesn't leave are not looked at. `inverse_of`: the run
    whose new lots on the target are taken away again.
    """

    new_there: NewThere = NewThere.IMPORT
    crowds: Crowds = Crowds.SEPARATE
    differs: Differs = Differs.PRIMARY
    removes: bool = True
    # List lots that aren't there yet.
    lists_new: bool = True
    # Believe a store that has far fewer lots than the last time.
    accepts_few: bool = False
    fields: tuple[LotField, ...] | None = None
    lots: str = ""
    inverse_of: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Options":
        """Read options as JSON has them. Raises Invalid with errors by field."""
        errors: dict[str, list[str]] = {}
        names = {each.name for each in fields(cls)}
        errors |= {f"/options/{name}": ["There is no such option."] for name in given if name not in names}
        values: dict[str, Any] = {}
        for name, value in given.items():
            try:
                values[name] = _read(name, value)
            except _WrongError as wrong:
                errors[f"/options/{name}"] = [str(wrong)]
        if errors:
            raise Invalid(errors=errors)
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """Answer them as they are kept."""
        kept: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


class _WrongError(ValueError):
    """A value can't be taken; the text says what can."""


def _read(name: str, value: Any) -> Any:
    if name in _CHOICES:
        kinds = _CHOICES[name]
        if value not in list(kinds):
            raise _WrongError(f"One of {', '.join(kinds)}.")
        return kinds(value)
    if name in ("removes", "accepts_few", "lists_new"):
        if not isinstance(value, bool):
            raise _WrongError("True or false.")
        return value
    if name == "fields":
        return _fields(value)
    if not isinstance(value, str) or len(value) > _LONGEST or "\x00" in value:
        raise _WrongError(f"A text of at most {_LONGEST:,} characters.")
    return value


def _fields(value: Any) -> tuple[LotField, ...] | None:
    if value is None:
        return None
    known = [each for each in LotField if each is not LotField.QTY]
    if not isinstance(value, list | tuple) or not set(value) <= {*known, LotField.QTY}:
        raise _WrongError(f"A list of {', '.join(known)}.")
    return tuple(each for each in known if each in value)

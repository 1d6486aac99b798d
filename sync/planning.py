"""What is to be done so that two sides agree: field by field, from what both last agreed on. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from stores.channels import LotField
from sync.remote import LotState

_NOTHING = (None,) * len(LotField)


class Owner(StrEnum):
    """Whose word counts for a field of a listing."""

    OURS = "ours"
    CHANNEL = "channel"
    NEWEST = "newest"
    ASK = "ask"


class Decision(StrEnum):
    """What becomes of a field."""

    SAME = "same"
    # Ours goes to the channel.
    PUSH = "push"
    # The channel's is taken over.
    TAKE = "take"
    # Both changed a quantity: each side's pieces are added to or taken from the other's.
    BOTH = "both"
    # Both changed it to the same.
    AGREED = "agreed"
    # Both changed it, and a person decides.
    ASK = "ask"


class Compared(NamedTuple):
    """What becomes of one field, and the value that both sides have then; None where a person is asked."""

    field: LotField
    decision: Decision
    base: Any
    ours: Any
    theirs: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """What becomes of a listing."""

    fields: tuple[Compared, ...]

    def of(self, *decisions: Decision) -> tuple[Compared, ...]:
        """Answer the fields of those decisions."""
        return tuple(each for each in self.fields if each.decision in decisions)

    @property
    def is_same(self) -> bool:
        """Tell whether nothing is to be done."""
        return not self.of(Decision.PUSH, Decision.TAKE, Decision.BOTH, Decision.ASK)

    def there(self, theirs: LotState) -> LotState:
        """Answer how the channel's lot is to stand; where a person is asked it stays as it is."""
        return _with(theirs, self.of(Decision.PUSH, Decision.BOTH))

    def here(self, ours: LotState) -> LotState:
        """Answer how ours is to stand; where a person is asked it stays as it is."""
        return _with(ours, self.of(Decision.TAKE, Decision.BOTH))

    def base(self, before: LotState | None, theirs: LotState) -> LotState:
        """Answer what both agree on once all of it is done; a field that is asked about keeps its old base."""
        asked = self.of(Decision.ASK)
        settled = _with(theirs, [each for each in self.fields if each.decision is not Decision.ASK])
        return settled._replace(**{each.field.value: each.base for each in asked}) if before is not None else settled


def compare(
    *, base: LotState | None, ours: LotState, theirs: LotState, fields: Collection[LotField],
    owners: Mapping[LotField, Owner] | None = None, ours_is_newer: bool = True,
) -> Comparison:  # fmt: skip
    """Compare three ways. Without a base the two never agreed on anything, and the owner's word counts.

    `base` has the pieces of known orders taken off already, so that a sale is never counted twice. A quantity that both
    changed has no conflict: pieces that went on either side have gone. A field that nobody owns is taken over where
    only the channel changed it, and asked about where both did. `ours_is_newer`: for fields of Owner.NEWEST.
    """
    owners = owners or {}
    compared = []
    for each, was, ours_value, theirs_value in zip(LotField, base or _NOTHING, ours, theirs, strict=True):
        if each not in fields or ours_value is None:
            continue
        change = _Change(each, base is not None, was, ours_value, theirs_value)
        compared.append(change.judged(owners.get(each), ours_is_newer=ours_is_newer))
    return Comparison(tuple(compared))


class _Change(NamedTuple):
    field: LotField
    has_base: bool
    base: Any
    ours: Any
    theirs: Any

    def judged(self, owner: Owner | None, *, ours_is_newer: bool) -> Compared:
        if self.ours == self.theirs:
            return self._made(Decision.SAME if self.has_base and self.ours == self.base else Decision.AGREED, self.ours)
        if self.has_base and self.theirs == self.base:
            return self._made(Decision.PUSH, self.ours)
        only_theirs = self.has_base and self.ours == self.base
        if self.field is LotField.QTY and self.has_base:
            if only_theirs:
                return self._made(Decision.TAKE, self.theirs)
            return self._made(Decision.BOTH, max(0, self.ours + self.theirs - self.base))
        takes = owner is Owner.CHANNEL or (owner is Owner.NEWEST and not ours_is_newer)
        if only_theirs and owner in (None, Owner.NEWEST):
            takes = True
        if takes:
            return self._made(Decision.TAKE, self.theirs)
        return self._made(Decision.ASK, None) if owner in (None, Owner.ASK) else self._made(Decision.PUSH, self.ours)

    def _made(self, decision: Decision, value: Any) -> Compared:
        return Compared(self.field, decision, self.base, self.ours, self.theirs, value)


def _with(state: LotState, fields: Collection[Compared]) -> LotState:
    return state._replace(**{each.field.value: each.value for each in fields})

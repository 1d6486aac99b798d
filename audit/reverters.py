"""How entities are put back: each app registers how, through its own services, so that its rules hold for it too."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from audit import bulk
from audit.diff import NOISE, State, Step
from common.errors import Conflict
from common.models import VersionedModel


class Way(StrEnum):
    """What a revert does to an entity: its fields go back, it comes back, it goes."""

    RESTORE = "RESTORE"
    RECREATE = "RECREATE"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be done to one entity. `values`: columns by attname (`user_id`), typed; none for REMOVE.

    `now`: the row as it is; None where there is none.
    """

    model: type[models.Model]
    id: Any
    way: Way
    values: Mapping[str, Any]
    now: State | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an entity can't be put back, and what can be done instead: words and perhaps a page."""

    reason: str
    counter_action: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Bond:
    """Rows of one model that go back all together or not at all, and why they can't, if so."""

    keys: frozenset[Any]
    objection: Objection | None = None


class Reverter(ABC):
    """Puts rows of one model back. Its verbs call the owner's services; these raise ProblemError by their rules."""

    # Columns that are never put back by themselves: they follow from others, or from the change itself.
    follows: ClassVar[frozenset[str]] = frozenset()
    # Columns that stay as they are, and why: shown in the preview.
    keeps: ClassVar[Mapping[str, str]] = {}
    # When it is its turn, by way: what comes back first, what goes last. Within one turn owners come before what hangs
    # on them, and go after it.
    turns: ClassVar[Mapping[Way, int]] = {Way.RECREATE: 10, Way.RESTORE: 20, Way.REMOVE: 30}
    # The place of its rows in the house's lock order: what has the lower one is held first.
    lock_place: ClassVar[int] = 100
    # Whether rows that change are held so that nothing new hangs itself on them meanwhile, as those that go are.
    is_closed: ClassVar[bool] = False

    @abstractmethod
    def permission(self, patch: Patch) -> str | None:
        """Answer the permission that doing this by hand takes; None where being signed in is enough."""

    def objection(self, patch: Patch) -> Objection | None:  # the default has none
        """Answer why this can't be done as things stand, if so. Called for the preview; must not write."""
        return None

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        """Answer for each patch, as `objection` does. An owner that has to look something up does it once for all."""
        return [self.objection(patch) for patch in patches]

    def turn(self, patch: Patch) -> int:
        """Answer when it is the patch's turn."""
        return self.turns[patch.way]

    def guards(self, steps: Sequence[Step]) -> Mapping[type[models.Model], Collection[Any]]:
        """Answer the rows that are held while these go back, all of them before anything is done.

        They are the rows themselves, unless the owner's services hold others for changing them.
        """
        return {steps[0].model: {step.key for step in steps}}

    def company(self, steps: Sequence[Step], *, change_set_id: UUID) -> Mapping[type[models.Model], Collection[Any]]:
        """Answer what else the change set did that goes back in the same transaction as these rows."""
        return {}

    def falls_with(self, step: Step) -> tuple[type[models.Model], Any] | None:
        """Answer the row without which this one stays as it is: where that can't go back, this doesn't either."""
        return None

    def is_consequence(self, step: Step) -> bool:
        """Tell whether the row changed only because another did, which puts it right by itself when it goes back."""
        return False

    def bonds(self, standings: Sequence[tuple[Step, State | None]], *, change_set_id: UUID) -> Sequence[Bond]:
        """Answer which of these rows go back all together or not at all. Each is given with how it is now."""
        return ()

    def restore(self, patch: Patch) -> None:
        """Set the patch's columns back; an owner that can't says so in `objection` already."""
        raise Conflict("What was changed here can't be set back.")

    def recreate(self, patch: Patch) -> None:
        """Make the deleted row again, with its id; an owner that can't says so in `objection` already."""
        raise Conflict("What was deleted here can't be made again.")

    def remove(self, patch: Patch) -> None:
        """Take the created row away; an owner that can't says so in `objection` already."""
        raise Conflict("What was made here can't be taken away again.")

    def apply(self, patch: Patch) -> None:
        """Do what the patch says."""
        match patch.way:
            case Way.RESTORE:
                self.restore(patch)
            case Way.RECREATE:
                self.recreate(patch)
            case Way.REMOVE:
                self.remove(patch)

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Do what the patches say, all of one way. An owner with a service for many at once calls it here.

        What it raises takes back all of them, and it is asked again with half of them each, down to the one at fault.
        """
        for patch in patches:
            self.apply(patch)

    @property
    def takes_many(self) -> bool:
        """Tell whether `apply_all` is more than one after another."""
        return type(self).apply_all is not Reverter.apply_all

    def is_followed(self, column: "models.Field[Any, Any]") -> bool:
        """Tell whether a column isn't put back by itself."""
        return bool({column.name, column.attname} & (NOISE | self.follows))

    def can(self, way: Way) -> bool:
        """Tell whether there is a verb for it."""
        return getattr(type(self), way.lower()) is not getattr(Reverter, way.lower())


class SetReverter(Reverter):
    """Puts back many at once, and one as a set of one."""

    def restore(self, patch: Patch) -> None:
        self.apply_all([patch])

    def recreate(self, patch: Patch) -> None:
        self.apply_all([patch])

    def remove(self, patch: Patch) -> None:
        self.apply_all([patch])

    @abstractmethod
    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Do what the patches say, all of one way, by a few statements."""


class RowsReverter(SetReverter):
    """Puts rows back by themselves: for models whose only rules are those of the database."""

    def apply_all(self, patches: Sequence[Patch]) -> None:
        model, way = patches[0].model, patches[0].way
        match way:
            case Way.REMOVE:
                bulk.bulk_delete(model._base_manager.filter(pk__in=[patch.id for patch in patches]))
            case Way.RECREATE:
                bulk.bulk_create(model, [model(**patch.values) for patch in patches])
            case Way.RESTORE:
                rising = ["version"] if issubclass(model, VersionedModel) else []
                alike: dict[tuple[str, ...], list[models.Model]] = defaultdict(list)
                for patch in patches:
                    alike[tuple(sorted(patch.values))].append(model(pk=patch.id, **patch.values))
                for names, rows in alike.items():
                    bulk.bulk_update(model, rows, fields=names, rising=rising)


_kept: dict[str, Objection] = {}


def keep(action: str, objection: Objection) -> None:
    """Have nothing go back of what is done by that name, and say why: its owner takes it back in a way of its own."""
    _kept[action] = objection


def why_kept(action: str) -> Objection | None:
    """Answer why nothing goes back of what was done by that name, if so."""
    return _kept.get(action)


_registered: dict[type[models.Model], Reverter] = {}


def register(model: type[models.Model], reverter: Reverter) -> None:
    """Have rows of the model put back by `reverter`."""
    if model in _registered:
        raise ValueError(f"{model.__name__} has a reverter already")
    _registered[model] = reverter


def get(model: type[models.Model]) -> Reverter | None:
    """Answer what puts rows of the model back, if anything does."""
    return _registered.get(model)

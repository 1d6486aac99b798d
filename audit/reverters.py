"""How entities are put back: each app registers how, through its own services, so that its rules hold for it too."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from django.db import models

from audit import bulk
from audit.diff import NOISE
from common.errors import Conflict
from common.models import VersionedModel


class Way(StrEnum):
    """What a revert does to an entity: its fields go back, it comes back, it goes."""

    RESTORE = "RESTORE"
    RECREATE = "RECREATE"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be done to one entity. `values`: columns by attname (`user_id`), typed; none for REMOVE."""

    model: type[models.Model]
    id: Any
    way: Way
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an entity can't be put back, and what can be done instead: words and perhaps a page."""

    reason: str
    counter_action: str = ""
    url: str = ""


class Reverter(ABC):
    """Puts rows of one model back. Its verbs call the owner's services; these raise ProblemError by their rules."""

    # Columns that are never put back by themselves: they follow from others, or from the change itself.
    follows: ClassVar[frozenset[str]] = frozenset()
    # Columns that stay as they are, and why: shown in the preview.
    keeps: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def permission(self, patch: Patch) -> str | None:
        """Answer the permission that doing this by hand takes; None where being signed in is enough."""

    def objection(self, patch: Patch) -> Objection | None:  # the default has none
        """Answer why this can't be done as things stand, if so. Called for the preview; must not write."""
        return None

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        """Answer for each patch, as `objection` does. An owner that has to look something up does it once for all."""
        return [self.objection(patch) for patch in patches]

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


_registered: dict[type[models.Model], Reverter] = {}


def register(model: type[models.Model], reverter: Reverter) -> None:
    """Have rows of the model put back by `reverter`."""
    if model in _registered:
        raise ValueError(f"{model.__name__} has a reverter already")
    _registered[model] = reverter


def get(model: type[models.Model]) -> Reverter | None:
    """Answer what puts rows of the model back, if anything does."""
    return _registered.get(model)

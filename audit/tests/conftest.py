"""The entities on which the trail is tried: roles and users, whichever app has them; and how a test puts roles back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction

from audit import context, reverters
from audit.models import ChangeSet
from audit.reverters import Patch, Reverter
from common import actor
from common.actor import Actor, ActorKind
from common.errors import Conflict

# By name: audit stands below the apps whose rows it keeps.
Role: Any = apps.get_model("accounts", "Role")
UserRole: Any = apps.get_model("accounts", "UserRole")
User: Any = get_user_model()
ANA = Actor(
    kind=ActorKind.USER, id="0198f000-0000-7000-8000-00000000000a", name="Ana", permissions=frozenset({"roles:manage"})
)
OWNER = Actor(
    kind=ActorKind.USER,
    id="0198f000-0000-7000-8000-00000000000b",
    name="Marta",
    permissions=frozenset({"audit:read", "audit:revert", "roles:manage"}),
)


def trail(model: Any, key: Any) -> list[Any]:
    """Answer the history rows of an entity, oldest first."""
    return list(model.history.model.objects.filter(id=key).order_by("history_id"))


class AbandonedError(Exception):
    """What `abandoned` rolls back with."""


@contextmanager
def abandoned() -> Iterator[None]:
    """Roll back whatever the block does."""
    try:
        with transaction.atomic():
            yield
            raise AbandonedError
    except AbandonedError:
        pass


def only_change_set(action: str) -> ChangeSet:
    """Answer the change set with that action; there must be one."""
    return ChangeSet.objects.get(action=action)


@pytest.fixture
def ana() -> Iterator[Actor]:
    """Act as a person who may manage roles."""
    with actor.use(ANA):
        yield ANA


@pytest.fixture
def deed() -> Callable[..., Any]:
    """Answer what opens a deed of its own, as a request does."""
    return context.change_set


class PlainReverter(Reverter):
    """Puts rows back by saving them; refuses names that somebody reserved, as an owner's service would."""

    keeps = {"is_system": "What belongs to the system stays."}

    def permission(self, patch: Patch) -> str | None:
        return "roles:manage"

    def restore(self, patch: Patch) -> None:
        row = patch.model._base_manager.get(pk=patch.id)
        for name, value in patch.values.items():
            setattr(row, name, value)
        if getattr(row, "name", "") == "Reserved":
            raise Conflict("That name is reserved.")
        row.save()

    def recreate(self, patch: Patch) -> None:
        patch.model(**patch.values).save(force_insert=True)

    def remove(self, patch: Patch) -> None:
        patch.model._base_manager.get(pk=patch.id).delete()


@pytest.fixture
def plain_reverters() -> Iterator[None]:
    """Have roles and their assignments put back in the plainest way, whatever their app registered."""
    before = dict(reverters._registered)
    reverters._registered.clear()
    for model in (Role, UserRole):
        reverters.register(model, PlainReverter())
    yield
    reverters._registered.clear()
    reverters._registered.update(before)

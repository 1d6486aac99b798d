"""A kind of job that exists in tests alone, and people who start it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model

from common.actor import Actor, ActorKind
from jobs import registry
from jobs.registry import JobFunction

if TYPE_CHECKING:
    from accounts.models import User


@contextmanager
def declared(code: str, function: JobFunction, **options: Any) -> Iterator[None]:
    """Have a kind of job inside the block."""
    registry.job(code, **{"label": "Counting of bricks", "permission": "settings:write", **options})(function)
    try:
        yield
    finally:
        registry.forget(code)


def person(name: str = "Ana", **values: Any) -> "User":
    """Make a user without roles."""
    return get_user_model().objects.create(email=f"{name.lower()}@example.com", display_name=name, **values)


def acting(user: "User", *permissions: str) -> Actor:
    """Answer the user as who acts, with these permissions."""
    return Actor(kind=ActorKind.USER, id=str(user.pk), name=user.display_name, permissions=frozenset(permissions))


def nobody() -> UUID:
    """Answer an id that nothing has."""
    return UUID(int=0)

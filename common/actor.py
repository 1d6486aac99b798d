"""Who acts, and from where: one answer for sessions, tokens, API keys, jobs and commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from common.ids import new_id


class ActorKind(StrEnum):
    """Kinds of actor, as the audit trail stores them (definitions.md, section 7)."""

    USER = "USER"
    SYSTEM = "SYSTEM"
    JOB = "JOB"
    API_KEY = "API_KEY"


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity with what it may do. `id` is the user's, key's or job's id as text; empty for the system."""

    kind: ActorKind
    id: str
    name: str
    permissions: frozenset[str] = frozenset()
    # The identity of who started it, for a job; empty for whoever acts by themselves.
    on_behalf_of: str = ""

    def can(self, permission: str) -> bool:
        """Tell whether the actor has `resource:action`; the system may do everything."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    @property
    def identity(self) -> str:
        """Answer `KIND:id`, the key under which limits and idempotency keys are counted."""
        return f"{self.kind}:{self.id}"

    @property
    def principal(self) -> str:
        """Answer the identity of who wants what is done: who started it for a job, else who acts."""
        return self.on_behalf_of or self.identity


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the present work came from. A correlation id spans a request and the tasks it caused."""

    request_id: str = field(default_factory=lambda: str(new_id()))
    correlation_id: str = ""
    ip_address: str | None = None
    user_agent: str = ""


SYSTEM = Actor(kind=ActorKind.SYSTEM, id="", name="Brikonnect")

_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Actor:
    """Answer who acts now; the system where nobody was named (commands, beat)."""
    return _actor.get() or SYSTEM


def origin() -> Origin:
    """Answer where the present work came from; an empty origin outside requests and tasks."""
    return _origin.get() or Origin(request_id="", correlation_id="")


@contextmanager
def use(actor: Actor) -> Iterator[Actor]:
    """Act as `actor` inside the block."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


@contextmanager
def use_origin(value: Origin) -> Iterator[Origin]:
    """Work on behalf of `value` inside the block."""
    token = _origin.set(value)
    try:
        yield value
    finally:
        _origin.reset(token)


# Who an identity of the past is today, by kind: `accounts` answers for users, `api_keys` for keys.
_finders: dict[ActorKind, Callable[[str], Actor | None]] = {}


def register_finder(kind: ActorKind, finder: Callable[[str], Actor | None]) -> None:
    """Let `finder` answer for identities of that kind: the actor as it is today, or None if it is switched off."""
    _finders[kind] = finder


def find(kind: ActorKind, identity: str) -> Actor | None:
    """Answer who that identity is now, with its present permissions; None if it is gone or switched off."""
    if kind is ActorKind.SYSTEM:
        return SYSTEM
    finder = _finders.get(kind)
    return finder(identity) if finder else None

"""Which deed the present work belongs to: one change set per request, job or command, made with its first change."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.models import ChangeSet, Source
from common import actor, workspace
from common.ids import new_id

# What changes something outside every request, job and command: a shell, a migration.
_NOBODY_NAMED_IT = "system.change"


@dataclass(slots=True, eq=False)
class _Row:
    """A deed's change set in one schema. It exists from the first change on, unless that was rolled back."""

    id: UUID = field(default_factory=new_id)
    _is_committed: bool = False
    # Where Django's hooks had it last; None until it was inserted.
    _place: int | None = None

    def __call__(self) -> None:
        # Django calls this after the commit; in a test's transaction that never commits, helpers may call it early.
        self._is_committed = not connection.in_atomic_block

    def mark_written(self) -> None:
        """Remember that the row was inserted. Django forgets the hook when the transaction or savepoint rolls back."""
        self._place = len(connection.run_on_commit)
        transaction.on_commit(self)

    @property
    def is_pending(self) -> bool:
        """Tell whether the present transaction inserted the row, and no savepoint around it was rolled back since."""
        if self._place is None:
            return False
        hooks = connection.run_on_commit
        if self._place < len(hooks) and hooks[self._place][1] is self:
            return True
        self._place = next((place for place, hook in enumerate(hooks) if hook[1] is self), len(hooks))
        return self._place < len(hooks)

    @property
    def is_written(self) -> bool:
        """Tell whether the row is in the database, as the present transaction sees it."""
        return self._is_committed or self.is_pending


@dataclass(slots=True, eq=False)
class Deed:
    """What one request, job or command does. Leaves a change set in each schema that it changes, else none."""

    action: str
    source: Source
    reason: str = ""
    reverts: UUID | None = None
    is_named: bool = True
    # What was begun before under this id goes on under it: a job that is taken up again is still one deed.
    id: UUID | None = None
    _rows: dict[str, _Row] = field(default_factory=dict)

    def row(self) -> _Row:
        """Answer the change set in the present schema, written or not."""
        return self._rows.setdefault(workspace.current_key(), _Row(id=self.id or new_id()))

    @property
    def is_pending(self) -> bool:
        """Tell whether the present transaction holds a change of this deed."""
        return any(row.is_pending for row in self._rows.values())

    @property
    def change_set_id(self) -> UUID | None:
        """Answer the id of the change set in the present schema, or None if nothing has changed there."""
        row = self._rows.get(workspace.current_key())
        return row.id if row and row.is_written else None

    def values(self) -> ChangeSet:
        """Answer the change set's row for the present schema, not yet saved: who acts now, and from where."""
        who, where = actor.current(), actor.origin()
        return ChangeSet(
            id=self.row().id,
            actor_type=who.kind.value,
            actor_id=who.id[:64],
            actor_name=who.name[:200],
            on_behalf_of=who.on_behalf_of,
            action=self.action[:100],
            reason=self.reason,
            source=self.source,
            correlation_id=where.correlation_id[:64],
            request_id=where.request_id[:64],
            ip_address=where.ip_address,
            user_agent=where.user_agent[:400],
            reverts_id=self.reverts,
            created_at=timezone.now(),
        )


_open: ContextVar[Deed | None] = ContextVar("open_deed", default=None)
_unnamed: ContextVar[Deed | None] = ContextVar("unnamed_deed", default=None)


@contextmanager
def change_set(
    action: str,
    *,
    reason: str = "",
    source: Source | None = None,
    reverts: UUID | None = None,
    is_named: bool = True,
    change_set_id: UUID | None = None,
) -> Iterator[Deed]:
    """Record what changes inside the block as one deed. `action` is `app.verb_object`; `reason` says why, for people.

    Without a `source` it is that of the deed around it. Inside another deed it is one of its own; what only wants to
    name the deed around it calls `describe`. `is_named=False` lets `describe` choose a better name. With a
    `change_set_id`, a deed that was broken off goes on as the same change set.
    """
    around = _open.get()
    deed = Deed(
        action=action,
        source=source or (around.source if around else Source.COMMAND),
        reason=reason,
        reverts=reverts,
        is_named=is_named,
        id=change_set_id,
    )
    token = _open.set(deed)
    try:
        yield deed
    finally:
        _open.reset(token)


def for_job(action: str, *, reason: str = "", change_set_id: UUID | None = None) -> AbstractContextManager[Deed]:
    """Record what a task changes as one deed. With its own id, a job that is taken up again is the same change set."""
    return change_set(action, reason=reason, source=Source.JOB, change_set_id=change_set_id)


def for_command(action: str, *, reason: str = "") -> AbstractContextManager[Deed]:
    """Record what a management command changes as one deed."""
    return change_set(action, reason=reason, source=Source.COMMAND)


def describe(action: str, *, reason: str = "") -> None:
    """Name the deed under way, before its first change. The first name stays: inner services don't rename it."""
    deed = current_deed()
    if not deed.is_named:
        deed.action, deed.reason, deed.is_named = action, reason or deed.reason, True


def suggest(*, action: str, source: Source) -> None:
    """Give the deed under way a name until a service has a better one, and say through which door it came."""
    deed = _open.get()
    if deed is not None and not deed.is_named:
        deed.action, deed.source = action, source


def current_deed() -> Deed:
    """Answer the deed under way; where nobody opened one, one for the present transaction."""
    deed = _open.get()
    if deed is not None:
        return deed
    deed = _unnamed.get()
    if deed is None or not deed.is_pending:
        deed = Deed(action=_NOBODY_NAMED_IT, source=Source.COMMAND)
        _unnamed.set(deed)
    return deed


def current_change_set_id() -> UUID | None:
    """Answer the id of the change set under way in the present schema, for its Undo; None if nothing changed."""
    deed = _open.get() or _unnamed.get()
    return deed.change_set_id if deed else None

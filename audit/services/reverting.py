"""Carries a revert out: a change set of its own, made of the owners' own services."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from audit import context, reverters
from audit.errors import NothingToRevert
from audit.models import ChangeSet
from audit.queries import ChangeSetRow
from audit.recording import tracked_models
from audit.reverters import Patch, Reverter, Way
from audit.services.planning import Decision, EntityPlan, Plan, State, plan_for
from common import actor
from common.errors import Invalid, NotFound, PermissionDenied, ProblemError

OWN_FOR = timedelta(hours=24)
PERMISSION = "audit:revert"
_LEFT_BEHIND = "It goes back only together with another, which was changed since."
_REVERT, _REPEAT = "audit.revert", "audit.repeat"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entity that its owner's rules didn't let go back, and why."""

    entity_type: str
    entity_id: str
    name: str
    way: Way
    reason: str


@dataclass(frozen=True, slots=True)
class Reverted:
    """What a revert did. `change_set_id` is its own change set, which can be reverted in turn."""

    change_set_id: UUID
    summary: str
    count: int
    conflicts: int
    impossible: int
    refusals: tuple[Refusal, ...] = ()

    @property
    def message(self) -> str:
        """Answer what a toast says: what was done, and what was left."""
        left = left_words(conflicts=self.conflicts, refused=len(self.refusals), impossible=self.impossible)
        return f"{self.summary}{left}"


def left_words(*, conflicts: int, refused: int, impossible: int) -> str:
    """Answer what a revert left, to be said behind what it did; nothing where it left nothing."""
    skipped = conflicts + refused
    parts = [f"{skipped:,} left" if refused else f"{skipped:,} left, changed since"] if skipped else []
    parts += [f"{impossible:,} can't be put back"] if impossible else []
    return f". {', '.join(parts)}" if parts else ""


# --- Who may --------------------------------------------------------------------------------------------------------
def is_own(change_set: ChangeSet | ChangeSetRow, who: actor.Actor, *, now: datetime) -> bool:
    """Tell whether the actor did it, or started the job that did, within the last 24 hours."""
    same = bool(who.id) and change_set.principal == who.principal
    return same and change_set.created_at > now - OWN_FOR


def check(change_set: ChangeSet, entities: Iterable[EntityPlan], *, now: datetime | None = None) -> None:
    """Pass, or raise PermissionDenied naming what the present actor lacks for putting the entities back."""
    who = actor.current()
    if who.can(PERMISSION):
        return
    if not is_own(change_set, who, now=now or timezone.now()):
        raise _lacks(PERMISSION)
    for entity in entities:
        reverter = reverters.get(entity.step.model) if entity.state in {State.CLEAN, State.CONFLICT} else None
        needed = reverter.permission(entity.full_patch()) if reverter else None
        if needed and not who.can(needed):
            raise _lacks(needed)


def _lacks(permission: str) -> PermissionDenied:
    return PermissionDenied(f"This needs the permission {permission}.", permission=permission)


def offered(rows: Iterable[ChangeSetRow], *, now: datetime | None = None) -> frozenset[UUID]:
    """Answer which of the change sets the present actor may try to revert: what a Revert button is shown for."""
    who, moment = actor.current(), now or timezone.now()
    return frozenset(
        row.id for row in rows if row.is_revertible and (who.can(PERMISSION) or is_own(row, who, now=moment))
    )


# --- Doing it -------------------------------------------------------------------------------------------------------
def place_of(turn: int, way: Way, depth: int) -> tuple[int, int]:
    """Answer the place in which to do it: owners come back before, and go after, what hangs on them."""
    return turn, -depth if way is Way.REMOVE else depth


def depths() -> dict[type[models.Model], int]:
    """Answer how many owners each tracked model has above it: owners come before what hangs on them."""
    found: dict[type[models.Model], int] = {}

    def depth(model: type[models.Model], seen: tuple[type[models.Model], ...]) -> int:
        if model not in found:
            targets = {
                column.remote_field.model
                for column in model._meta.concrete_fields
                if isinstance(column, models.ForeignKey) and column.remote_field.model not in (*seen, model)
            }
            found[model] = 1 + max((depth(target, (*seen, model)) for target in targets), default=0)
        return found[model]

    for model in tracked_models():
        depth(model, ())
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, Invalid) and not error.detail and error.errors:
        return " ".join(message for messages in error.errors.values() for message in messages)
    if isinstance(error, ProblemError):
        return error.detail or error.title
    if isinstance(error, ProtectedError | RestrictedError):
        return "Something depends on it."
    return "It doesn't fit what is there now."


def attempt(patches: Sequence[Patch]) -> str:
    """Do what the patches say, all of one model and way, or nothing of it; answer why not, or nothing."""
    try:
        with transaction.atomic():
            _reverter_of(patches[0]).apply_all(patches)
            # Keys that lead nowhere are refused here, and not at the commit, where all the rest would go with them.
            connection.check_constraints()
    except (ProblemError, IntegrityError, ProtectedError, RestrictedError) as error:
        return _reason(error)
    return ""


Work = list[tuple[EntityPlan, Patch]]
Refused = list[tuple[EntityPlan, str]]


def _batches(work: Work) -> Iterator[Work]:
    """Answer what is done after another: by turns, all of one way together where its owner takes many."""
    found, places = depths(), dict[int, tuple[tuple[int, int], str]]()
    for plan, patch in work:
        turn = _reverter_of(patch).turn(patch)
        places[id(plan)] = place_of(turn, patch.way, found[patch.model]), patch.model._meta.label
    ordered = sorted(work, key=lambda item: places[id(item[0])])
    for _, group in groupby(ordered, key=lambda item: (places[id(item[0])], item[1].way)):
        batch = list(group)
        if _reverter_of(batch[0][1]).takes_many:
            yield batch
        else:
            yield from ([one] for one in batch)


def _reverter_of(patch: Patch) -> Reverter:
    reverter = reverters.get(patch.model)
    assert reverter is not None  # noqa: S101  # without one there is no patch
    return reverter


def _apply_batch(work: Work) -> Iterator[tuple[EntityPlan, Patch, str]]:
    """Do a batch; what is refused is halved until what is at fault stands alone. Answer that, and why."""
    batches = [work]
    while batches:
        batch = batches.pop()
        reason = attempt([patch for _, patch in batch])
        if reason and len(batch) > 1:
            half = len(batch) // 2
            batches += [batch[half:], batch[:half]]
        elif reason:
            yield (*batch[0], reason)


def _apply_all(work: Work) -> Refused:
    """Do what can be done, each entity for itself; answer what was refused, and why.

    What is refused is tried again as long as something else succeeds: a name may be free only after another is gone.
    """
    while True:
        refused = [one for batch in _batches(work) for one in _apply_batch(batch)]
        if not refused or len(refused) == len(work):
            return [(entity, reason) for entity, _, reason in refused]
        work = [(entity, patch) for entity, patch, _ in refused]


class _Torn(Exception):  # noqa: N818  # nothing that goes wrong: it takes back a try
    """Of rows that go back together some were refused."""


def carry_out(work: Work) -> Refused:
    """Do what can be done, and of rows that are bound to each other all or none; answer what was refused, and why."""
    left: Refused = []
    present = {(plan.step.model, plan.key) for plan, _ in work}
    reasons = {
        (plan.step.model, plan.key): _LEFT_BEHIND
        for plan, _ in work
        if any((plan.step.model, key) not in present for key in plan.bond)
    }
    while True:
        left += [(plan, why) for plan, _ in work if (why := reasons.get((plan.step.model, plan.key)))]
        work = [(plan, patch) for plan, patch in work if (plan.step.model, plan.key) not in reasons]
        try:
            with transaction.atomic():
                refused = _apply_all(work)
                reasons = {
                    (plan.step.model, key): f"It goes back only together with another: {why}"
                    for plan, why in refused
                    for key in plan.bond
                } | {(plan.step.model, plan.key): why for plan, why in refused if plan.bond}
                if reasons:
                    raise _Torn
        except _Torn:
            continue
        return left + refused


def _nothing(plan: Plan) -> NothingToRevert:
    """Answer the plain words for a revert that has nothing to do."""
    objections = [
        entity.objection.reason for entity in plan.entities if entity.objection and entity.state is State.IMPOSSIBLE
    ]
    kept = [field.reason for entity in plan.entities for field in entity.fields if field.reason]
    return nothing(plan.change_set, conflicts=plan.conflicts, impossible=plan.impossible, reasons=objections + kept)


def nothing(change_set: ChangeSetRow, *, conflicts: int, impossible: int, reasons: Sequence[str]) -> NothingToRevert:
    """Answer the plain words for a revert that has nothing to do, from how its entities stand."""
    counts = {"conflicts": conflicts, "impossible": impossible}
    if conflicts:
        return NothingToRevert("It was changed again since. Decide field by field what goes back.", **counts)
    if impossible:
        return NothingToRevert((*reasons, "It can't be put back.")[0], **counts)
    if by := change_set.reverted_by:
        return NothingToRevert(f"{by[-1].actor_name} has undone this already.", **counts)
    return NothingToRevert("Everything is as it was before already.", **counts)


def deed_of(change_set: ChangeSet, summary: str) -> tuple[str, str, str]:
    """Answer what reverting it is called: the action, its first word for people, and what it is about."""
    # Taking back a revert does the deed again, and is called so.
    if change_set.action == _REVERT:
        return _REPEAT, "Done again", change_set.reason or summary
    return _REVERT, "Undone", change_set.reason if change_set.action == _REPEAT and change_set.reason else summary


def locked_change_set(change_set_id: UUID) -> ChangeSet:
    """Answer the change set, held so that reverts of it take turns; raises NotFound."""
    found = ChangeSet.objects.select_for_update(no_key=True).filter(pk=change_set_id).first()
    if found is None:
        raise NotFound
    return found


@transaction.atomic
def revert(
    *,
    change_set_id: UUID,
    decisions: Collection[Decision] = (),
    entity: tuple[str, str] | None = None,
    now: datetime | None = None,
) -> Reverted:
    """Put back what the change set changed, or what of it concerns one entity, as a change set of its own.

    What was changed since stays unless `decisions` name it. Raises NotFound, PermissionDenied, NothingToRevert. Two at
    once take turns, and the second finds nothing to do.
    """
    locked = locked_change_set(change_set_id)
    plan = plan_for(locked, entity=entity, lock=True)
    check(locked, plan.entities, now=now)
    decided = frozenset(decisions)
    work = [(one, patch) for one in plan.entities if (patch := one.patch(decided)) is not None]
    if not work:
        raise _nothing(plan)
    action, done, deed_words = deed_of(locked, plan.change_set.summary)
    with context.change_set(action, reason=deed_words, reverts=locked.pk) as deed:
        refused = carry_out(work)
        own_id = deed.change_set_id
    if len(refused) == len(work):
        raise NothingToRevert(refused[0][1], refused=len(refused))
    if own_id is None:  # every owner took it, and changed nothing
        raise _nothing(plan)
    return Reverted(
        change_set_id=own_id,
        summary=f"{done}: {deed_words}",
        count=len(work) - len(refused),
        conflicts=sum(one.state is State.CONFLICT and one.patch(decided) is None for one in plan.entities),
        impossible=plan.impossible,
        refusals=tuple(Refusal(*one.identity, one.name, one.way, reason) for one, reason in refused),
    )

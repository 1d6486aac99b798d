"""Carries a revert out: a change set of its own, made of the owners' own services."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from audit import context, reverters
from audit.errors import NothingToRevert
from audit.models import ChangeSet
from audit.queries import ChangeSetRow, get_change_set
from audit.recording import tracked_models
from audit.reverters import Patch, Way
from audit.services.planning import Decision, EntityPlan, Plan, State, plan_for
from common import actor
from common.errors import NotFound, PermissionDenied, ProblemError

OWN_FOR = timedelta(hours=24)
PERMISSION = "audit:revert"
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
        skipped = self.conflicts + len(self.refusals)
        left = [f"{skipped:,} left, changed since" if not self.refusals else f"{skipped:,} left"] if skipped else []
        left += [f"{self.impossible:,} can't be put back"] if self.impossible else []
        return ". ".join([self.summary, *([", ".join(left)] if left else [])])


# --- Who may --------------------------------------------------------------------------------------------------------
def is_own(change_set: ChangeSet | ChangeSetRow, who: actor.Actor, *, now: datetime) -> bool:
    """Tell whether the actor did it, or started the job that did, within the last 24 hours."""
    same = bool(who.id) and change_set.principal == who.principal
    return same and change_set.created_at > now - OWN_FOR


def _missing_permission(change_set: ChangeSet, plan: Plan, who: actor.Actor, *, now: datetime) -> str:
    """Answer a permission that the actor lacks for the revert; empty if none."""
    if who.can(PERMISSION):
        return ""
    if not is_own(change_set, who, now=now):
        return PERMISSION
    for entity in plan.entities:
        reverter = reverters.get(entity.step.model) if entity.state in {State.CLEAN, State.CONFLICT} else None
        needed = reverter.permission(entity.full_patch()) if reverter else None
        if needed and not who.can(needed):
            return needed
    return ""


def _check(change_set: ChangeSet, plan: Plan, *, now: datetime | None) -> None:
    """Pass, or raise PermissionDenied naming what the present actor lacks."""
    missing = _missing_permission(change_set, plan, actor.current(), now=now or timezone.now())
    if missing:
        raise PermissionDenied(f"This needs the permission {missing}.", permission=missing)


def preview_revert(*, change_set_id: UUID, entity: tuple[str, str] | None = None, now: datetime | None = None) -> Plan:
    """Answer what reverting a change set would do, or what of it concerns one entity (type, id).

    Raises NotFound, and PermissionDenied for whoever may not do it either.
    """
    change_set = get_change_set(change_set_id)
    plan = plan_for(change_set, entity=entity, lock=False)
    _check(change_set, plan, now=now)
    return plan


def offered(rows: Iterable[ChangeSetRow], *, now: datetime | None = None) -> frozenset[UUID]:
    """Answer which of the change sets the present actor may try to revert: what a Revert button is shown for."""
    who, moment = actor.current(), now or timezone.now()
    return frozenset(
        row.id for row in rows if row.is_revertible and (who.can(PERMISSION) or is_own(row, who, now=moment))
    )


# --- Doing it -------------------------------------------------------------------------------------------------------
def _depths() -> dict[type[models.Model], int]:
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


def _in_order(work: Iterable[tuple[EntityPlan, Patch]]) -> list[tuple[EntityPlan, Patch]]:
    """Answer the work so that owners come back before, and go after, what hangs on them."""
    depths = _depths()

    def place(item: tuple[EntityPlan, Patch]) -> tuple[int, int]:
        patch = item[1]
        order = {Way.RECREATE: 0, Way.RESTORE: 1, Way.REMOVE: 2}[patch.way]
        return order, -depths[patch.model] if patch.way is Way.REMOVE else depths[patch.model]

    return sorted(work, key=place)


def _reason(error: Exception) -> str:
    if isinstance(error, ProblemError):
        return error.detail or error.title
    if isinstance(error, ProtectedError | RestrictedError):
        return "Something depends on it."
    return "It doesn't fit what is there now."


def _apply_all(work: list[tuple[EntityPlan, Patch]]) -> list[tuple[EntityPlan, str]]:
    """Do what can be done, each entity for itself; answer what was refused, and why.

    What is refused is tried again as long as something else succeeds: a name may be free only after another is gone.
    """
    while True:
        refused: list[tuple[EntityPlan, Patch, str]] = []
        for entity, patch in work:
            reverter = reverters.get(patch.model)
            assert reverter is not None  # noqa: S101  # without one there is no patch
            try:
                with transaction.atomic():
                    reverter.apply(patch)
            except (ProblemError, IntegrityError, ProtectedError, RestrictedError) as error:
                refused.append((entity, patch, _reason(error)))
        if not refused or len(refused) == len(work):
            return [(entity, reason) for entity, _, reason in refused]
        work = [(entity, patch) for entity, patch, _ in refused]


def _nothing(plan: Plan) -> NothingToRevert:
    """Answer the plain words for a revert that has nothing to do."""
    counts = {"conflicts": plan.conflicts, "impossible": plan.impossible}
    if plan.conflicts:
        return NothingToRevert("It was changed again since. Decide field by field what goes back.", **counts)
    if plan.impossible:
        objections = [
            entity.objection.reason for entity in plan.entities if entity.objection and entity.state is State.IMPOSSIBLE
        ]
        kept = [field.reason for entity in plan.entities for field in entity.fields if field.reason]
        return NothingToRevert((objections + kept or ["It can't be put back."])[0], **counts)
    by = plan.change_set.reverted_by
    if by:
        return NothingToRevert(f"{by[-1].actor_name} has undone this already.", **counts)
    return NothingToRevert("Everything is as it was before already.", **counts)


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
    locked = ChangeSet.objects.select_for_update(no_key=True).filter(pk=change_set_id).first()
    if locked is None:
        raise NotFound
    plan = plan_for(locked, entity=entity, lock=True)
    _check(locked, plan, now=now)
    decided = frozenset(decisions)
    work = [(one, patch) for one in plan.entities if (patch := one.patch(decided)) is not None]
    if not work:
        raise _nothing(plan)
    # Taking back a revert does the deed again, and is called so.
    action, done, deed_words = (
        (_REPEAT, "Done again", locked.reason) if locked.action == _REVERT else (_REVERT, "Undone", "")
    )
    deed_words = deed_words or (locked.reason if locked.action == _REPEAT else plan.change_set.summary)
    with context.change_set(action, reason=deed_words, reverts=locked.pk) as deed:
        refused = _apply_all(_in_order(work))
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

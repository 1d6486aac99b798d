"""Reverts what is too much for one request: a part at a time, each in the transaction of the checkpoint behind it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import context, labels, reverters
from audit.diff import Names
from audit.errors import NothingToRevert
from audit.models import ChangeSet
from audit.queries import change_set_row, get_change_set
from audit.queries.change_sets import tallies
from audit.queries.parts import Phase, part_of, phases_of
from audit.reverters import Reverter, Way
from audit.services.planning import Decision, EntityPlan, Plan, State, entity_plans, plan_for
from audit.services.reverting import (
    Reverted,
    carry_out,
    check,
    deed_of,
    depths,
    left_words,
    locked_change_set,
    nothing,
    place_of,
    revert,
)

# More entities than a request can put back within a second, one after another.
LARGE = 200
# History rows of one part, where its owner takes many entities at once, and where one after another.
_PART, _PART_ONE_BY_ONE = 5_000, 200
# So many of what was left are named; the rest is counted.
_NAMED = 100


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A job does it."""

    job_id: UUID


@dataclass(slots=True, kw_only=True)
class LargeRevert:
    """How far a large revert is, as a job's checkpoint keeps it: JSON values alone."""

    action: str
    done: str
    about: str
    # [[type, way, count]], in the order in which they are done.
    phases: list[list[Any]]
    is_trial: bool
    # Looks first and changes nothing: a trial, or whether somebody without `audit:revert` may do all of it.
    is_checking: bool
    phase: int = 0
    after: int = 0
    looked_at: int = 0
    reverted: int = 0
    # Of the present round: what was refused is tried again as long as something else succeeds.
    succeeded: int = 0
    conflicts: int = 0
    impossible: int = 0
    refused: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.phase == len(self.phases)

    @property
    def total(self) -> int:
        """Answer how many entities a round looks at."""
        return sum(count for _, _, count in self.phases)

    @property
    def message(self) -> str:
        """Answer in words what was done, or would be, and what was left."""
        if self.is_trial:
            return plan_words(clean=self.reverted, conflicts=self.conflicts, impossible=self.impossible)
        left = left_words(conflicts=self.conflicts, refused=self.refused, impossible=self.impossible)
        return f"{self.done}: {self.about}{left}"

    @property
    def present(self) -> Phase:
        """Answer the phase that it is in."""
        code, way, count = self.phases[self.phase]
        kind = labels.type_named(code)
        if kind is None:
            raise NothingToRevert(f"This installation no longer has what is called {code}.")
        return Phase(kind.model, Way(way), count)

    def turn(self, *, after: int | None) -> None:
        """Go on behind the part that was just done: in the same phase, in the next, or in another round."""
        self.after = after or 0
        self.phase += after is None
        if not self.is_over:
            return
        ends_check = self.is_checking and not self.is_trial
        if ends_check:
            self.is_checking, self.reverted = False, 0
        if ends_check or (self.refused and self.succeeded and not self.is_checking):
            self.phase = self.looked_at = self.succeeded = self.conflicts = self.impossible = self.refused = 0
            self.left = []


def plan_words(*, clean: int, conflicts: int, impossible: int, done: int = 0) -> str:
    """Answer a plan in one line: `2,301 can be put back, 68 changed since (decide), 2 can't be put back`."""
    parts = [
        f"{clean:,} can be put back" if clean else "",
        f"{conflicts:,} changed since (decide)" if conflicts else "",
        f"{impossible:,} can't be put back" if impossible else "",
        f"{done:,} as before already" if done else "",
    ]
    return ", ".join(part for part in parts if part) or "There is nothing to put back"


# --- Now, or handed over --------------------------------------------------------------------------------------------
def _nobody(**_wish: Any) -> UUID:
    raise LookupError("nothing here runs jobs")


_start: Callable[..., UUID] = _nobody


def hand_over_to(start: Callable[..., UUID]) -> None:
    """Have large reverts done by the job that `start` starts and answers: jobs lie above the trail."""
    global _start  # noqa: PLW0603  # wired once, when Django starts
    _start = start


def is_large(change_set_id: UUID) -> bool:
    """Tell whether a change set is more than a request puts back."""
    return sum(tally.count for tally in tallies([change_set_id]).get(change_set_id, [])) > LARGE


def preview_revert(*, change_set_id: UUID, entity: tuple[str, str] | None = None, now: datetime | None = None) -> Plan:
    """Answer what reverting a change set would do, or what of it concerns one entity (type, id).

    Of a large one only the beginning. Raises NotFound, and PermissionDenied for whoever may not do it either.
    """
    change_set = get_change_set(change_set_id)
    if entity is None and is_large(change_set_id):
        plan = _beginning(change_set)
    else:
        plan = plan_for(change_set, entity=entity, lock=False)
    check(change_set, plan.entities, now=now)
    return plan


def _beginning(change_set: ChangeSet) -> Plan:
    phases = _in_order(phases_of(change_set.pk))
    steps = [step for phase in phases for step in part_of(phase, change_set.pk, after=0, limit=LARGE).steps][:LARGE]
    more = sum(phase.count for phase in phases) - len(steps)
    plans = entity_plans(steps, change_set_id=change_set.pk, lock=False, is_part=True)
    asked = tuple(plan for plan in plans if not plan.is_company)
    return Plan(change_set_row(change_set.pk), asked, more=max(0, more))


@transaction.atomic
def start_revert(
    *,
    change_set_id: UUID,
    decisions: Collection[Decision] = (),
    entity: tuple[str, str] | None = None,
    now: datetime | None = None,
) -> Reverted | HandedOver:
    """Put back what the change set changed, or what of it concerns one entity; a large one is left to a job.

    Raises NotFound, PermissionDenied, and NothingToRevert unless a job has to find that out.
    """
    if entity is not None or not is_large(change_set_id):
        return revert(change_set_id=change_set_id, decisions=decisions, entity=entity, now=now)
    return _hand_over(change_set_id, decisions, is_trial=False, now=now)


@transaction.atomic
def start_trial(
    *, change_set_id: UUID, decisions: Collection[Decision] = (), now: datetime | None = None
) -> HandedOver:
    """Have a job look at all of a large change set, and say what its revert would do. Raises as `start_revert`."""
    return _hand_over(change_set_id, decisions, is_trial=True, now=now)


def _hand_over(
    change_set_id: UUID, decisions: Collection[Decision], *, is_trial: bool, now: datetime | None
) -> HandedOver:
    # Held, so that of two wishes at once the second sees the first's job.
    change_set = locked_change_set(change_set_id)
    check(change_set, _beginning(change_set).entities, now=now)
    words = deed_of(change_set, change_set_row(change_set_id).summary)
    job_id = _start(
        change_set_id=change_set_id,
        decisions=[[one.entity_type, one.entity_id, one.field] for one in decisions],
        is_trial=is_trial,
        asked_at=now or timezone.now(),
        label=f"{'Check before undoing' if is_trial else 'Undoing'}: {words[2]}",
    )
    return HandedOver(job_id)


# --- What the job does ----------------------------------------------------------------------------------------------
def begin(*, change_set_id: UUID, is_trial: bool, needs_check: bool) -> LargeRevert:
    """Answer where a large revert starts. `needs_check`: whether its actor may do all of it is looked at first."""
    change_set = get_change_set(change_set_id)
    action, done, about = deed_of(change_set, change_set_row(change_set_id).summary)
    phases = [[labels.type_of(one.model).code, one.way.value, one.count] for one in _in_order(phases_of(change_set_id))]
    return LargeRevert(
        action=action, done=done, about=about, phases=phases, is_trial=is_trial, is_checking=is_trial or needs_check
    )


def _in_order(phases: Sequence[Phase]) -> list[Phase]:
    found = depths()

    def place(phase: Phase) -> tuple[tuple[int, int], str]:
        turns = (reverters.get(phase.model) or Reverter).turns
        return place_of(turns[phase.way], phase.way, found[phase.model]), phase.model._meta.label

    return sorted(phases, key=place)


def go_on(
    going: LargeRevert, *, change_set_id: UUID, own_id: UUID, decisions: Collection[Decision], asked_at: datetime
) -> None:
    """Do the next part, and note in `going` how far it is. Call it in the transaction that saves that.

    `own_id`: of the change set that it becomes. What is done stays done, so a part that is repeated finds it so.
    """
    change_set = locked_change_set(change_set_id)
    phase = going.present
    reverter = reverters.get(phase.model)
    limit = _PART if reverter and reverter.takes_many else _PART_ONE_BY_ONE
    part = part_of(phase, change_set_id, after=going.after, limit=limit)
    is_dry = going.is_checking
    plans = entity_plans(part.steps, change_set_id=change_set_id, lock=not is_dry, in_words=False, is_part=is_dry)
    check(change_set, plans, now=asked_at)
    decided = frozenset(decisions)
    work = [(plan, patch) for plan in plans if (patch := plan.patch(decided)) is not None]
    refused: list[tuple[EntityPlan, str]] = []
    if work and not is_dry:
        with context.change_set(going.action, reason=going.about, reverts=change_set_id, change_set_id=own_id):
            refused = carry_out(work)
    patched = {id(plan) for plan, _ in work}
    # What goes back along with the part is counted where it does, and what is left of it when its own phase comes.
    mine = [plan for plan in plans if not plan.is_company]
    left = [(plan, reason) for plan, reason in refused if not plan.is_company]
    count = sum(not plan.is_company for plan, _ in work) if is_dry else len(work) - len(refused)
    going.looked_at += len(mine)
    going.succeeded += count
    going.reverted += count
    going.refused += len(left)
    going.conflicts += sum(plan.state is State.CONFLICT and id(plan) not in patched for plan in mine)
    going.impossible += sum(plan.state is State.IMPOSSIBLE for plan in mine)
    going.left += _named([*left, *_unpatched(mine, patched)][: _NAMED - len(going.left)])
    going.turn(after=part.after)


def _unpatched(plans: Sequence[EntityPlan], patched: set[int]) -> Iterator[tuple[EntityPlan, str]]:
    for plan in plans:
        if plan.state is State.CONFLICT and id(plan) not in patched:
            yield plan, "Changed since."
        elif plan.state is State.IMPOSSIBLE:
            kept = [one.reason for one in plan.fields if one.reason]
            yield plan, plan.objection.reason if plan.objection else (*kept, "It can't be put back.")[0]


def _named(left: Sequence[tuple[EntityPlan, str]]) -> list[str]:
    names = Names([plan.step for plan, _ in left])
    return [f"{plan.kind.name} {names.entity(plan.step)}: {reason}" for plan, reason in left]


def check_outcome(going: LargeRevert, *, change_set_id: UUID) -> None:
    """Pass if a revert that is over did something; else raise NothingToRevert with the reason."""
    if going.is_trial or going.reverted:
        return
    if going.refused:
        raise NothingToRevert(going.left[0] if going.left else "It can't be put back.", refused=going.refused)
    row = change_set_row(change_set_id)
    raise nothing(row, conflicts=going.conflicts, impossible=going.impossible, reasons=going.left)

"""Which change sets there are, and what they are called in lists."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from audit import labels, reverters
from audit.diff import Names
from audit.models import ChangeSet, Source
from audit.queries.rows import changing, steps, typed_key
from audit.recording import history_of, key_of, quote, tracked_fields, tracked_models
from common.api.pagination import CursorPagination
from common.errors import NotFound

# Beyond this a number is shown as "10,000+": counting on would be slow, and nobody reads it.
COUNTED = 10_000
# The choices of the log's filters come from so many change sets, the newest ones.
_RECENT = 10_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What the log is narrowed to; empty is no limit. `actor` is `KIND:id`; the period is half-open."""

    actor: str = ""
    action: str = ""
    source: str = ""
    entity_type: str = ""
    entity_id: str = ""
    field: str = ""
    change_set_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another change set, as a link."""

    id: UUID
    summary: str
    actor_name: str
    created_at: datetime

    @property
    def url(self) -> str:
        """Answer its page."""
        return reverse("audit:change_set", args=[self.id])


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of one type a change set changed, and the newest of its history rows to name it by."""

    kind: labels.EntityType
    count: int
    history_id: int


@dataclass(frozen=True, slots=True)
class ChangeSetRow:
    """A change set as lists show it. `about`: what it changed, in words."""

    id: UUID
    created_at: datetime
    actor_type: str
    actor_id: str
    actor_name: str
    # The identity of who wanted it: who started the job, else the actor.
    principal: str
    action: str
    summary: str
    reason: str
    source: str
    source_label: str
    count: int
    about: str
    request_id: str
    correlation_id: str
    ip_address: str | None
    user_agent: str
    # Something in it is of a type that can be put back.
    is_revertible: bool
    # `undone`, `partly undone`, or empty where nothing of it was taken back that wasn't done again.
    undone: str
    reverts_id: UUID | None = None
    reverts: Reference | None = None
    reverted_by: tuple[Reference, ...] = ()

    @property
    def url(self) -> str:
        """Answer the change set's page."""
        return reverse("audit:change_set", args=[self.id])

    @property
    def deed_words(self) -> str:
        """Answer what was done, and why, without what to: for the history of the one entity."""
        return labels.deed_words(self.action, self.reason)

    @property
    def is_many(self) -> bool:
        """Tell whether there are more changes than were counted."""
        return self.count > COUNTED

    @property
    def shown_count(self) -> int:
        """Answer the number to show, with a plus behind it if `is_many`."""
        return min(self.count, COUNTED)


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log. `total` is None beyond what is counted."""

    rows: list[ChangeSetRow]
    total: int | None
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the log's filters offer: pairs of value and words."""

    actors: list[tuple[str, str]]
    actions: list[tuple[str, str]]
    entity_types: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    sources: list[tuple[str, str]]


# --- Which ----------------------------------------------------------------------------------------------------------
def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _touching(filters: Filters) -> Q | None:
    """Answer the condition that a change set changed such an entity or field; None where there can be none."""
    if not (filters.entity_type or filters.entity_id or filters.field):
        return Q()
    named = labels.type_named(filters.entity_type) if filters.entity_type else None
    if filters.entity_type and named is None:
        return None
    condition, is_possible = Q(), False
    for model in [named.model] if named else tracked_models():
        rows = rows_touching(model, entity_id=filters.entity_id, field=filters.field)
        if rows is not None:
            condition |= Q(Exists(rows.filter(change_set_id=OuterRef("pk"))))
            is_possible = True
    return condition if is_possible else None


def rows_touching(model: type[models.Model], *, entity_id: str, field: str) -> "QuerySet[Any] | None":
    """Answer the history rows of that entity that changed that field (empty: any); None where there can be none."""
    if field and field not in {column.name for column in tracked_fields(model)}:
        return None
    rows: QuerySet[Any] = changing(model, field) if field else history_of(model).objects.all()
    if not entity_id:
        return rows
    key = typed_key(model, entity_id)
    return None if key is None else rows.filter(**{key_of(model).attname: key})


def _mentioning(text: str) -> Q:
    """Answer the condition for the search box: an id of whatever kind, else words."""
    condition = Q(request_id=text) | Q(correlation_id=text)
    if not _is_uuid(text):
        return condition | Q(actor_name__icontains=text) | Q(reason__icontains=text) | Q(action__icontains=text)
    for model in tracked_models():
        rows = rows_touching(model, entity_id=text, field="")
        if rows is not None:
            condition |= Q(Exists(rows.filter(change_set_id=OuterRef("pk"))))
    return condition | Q(pk=text) | Q(actor_id=text)


def set_filters(filters: Filters) -> Q:
    """Answer the conditions on the change set itself: who, what, when, whence."""
    kind, _, actor_id = filters.actor.partition(":")
    wanted: dict[str, Any] = {
        "pk": filters.change_set_id,
        "actor_type": kind,
        "action": filters.action,
        "source": filters.source,
        "correlation_id": filters.correlation_id,
        "created_at__gte": filters.since,
        "created_at__lt": filters.until,
    }
    condition = Q(**{name: value for name, value in wanted.items() if value})
    return condition & Q(actor_id=actor_id) if filters.actor else condition


def change_sets(filters: Filters) -> "QuerySet[ChangeSet]":
    """Answer the change sets that the filters leave, in no order."""
    touching = _touching(filters)
    if touching is None:
        return ChangeSet.objects.none()
    found = ChangeSet.objects.filter(set_filters(filters), touching)
    return found.filter(_mentioning(filters.text.strip())) if filters.text.strip() else found


def get_change_set(change_set_id: UUID) -> ChangeSet:
    """Answer the change set; raises NotFound."""
    found = ChangeSet.objects.filter(pk=change_set_id).first()
    if found is None:
        raise NotFound
    return found


def choices() -> Choices:
    """Answer what the filters offer: who acted and what was done lately, and what there is to change."""
    recent = ChangeSet.objects.order_by("-created_at", "-id")[:_RECENT]
    actors: dict[str, str] = {}
    actions: dict[str, str] = {}
    used = ChangeSet.objects.filter(pk__in=recent.values("pk")).values_list(
        "actor_type", "actor_id", "actor_name", "action"
    )
    for kind, actor_id, name, action in used.distinct():
        actors[f"{kind}:{actor_id}"] = name
        actions[action] = labels.action_words(action)
    fields = {
        column.name: labels.field_words(model, column.name)
        for model in tracked_models()
        for column in tracked_fields(model)
    }

    def sorted_pairs(found: dict[str, str]) -> list[tuple[str, str]]:
        return sorted(found.items(), key=lambda pair: (pair[1].lower(), pair[0]))

    return Choices(
        actors=sorted_pairs(actors),
        actions=sorted_pairs(actions),
        entity_types=[(kind.code, kind.name[:1].upper() + kind.name[1:]) for kind in labels.types()],
        fields=sorted_pairs(fields),
        sources=[(source.value, str(source.label)) for source in Source],
    )


# --- What they are called -------------------------------------------------------------------------------------------
def tallies(ids: Sequence[UUID], *, is_exact: bool = False) -> dict[UUID, list[Tally]]:
    """Answer how many rows of each type the change sets changed, counted up to a limit or `is_exact`. One query."""
    kinds = labels.types()
    if not ids or not kinds:
        return {}
    limit = "" if is_exact else f"LIMIT {COUNTED + 1}"
    counted = " UNION ALL ".join(
        f"SELECT {place}, count(DISTINCT x.key), max(x.history_id) FROM"  # noqa: S608  # names come from the models
        f" (SELECT h.{quote(key_of(kind.model).column)} AS key, h.history_id"
        f" FROM {quote(history_of(kind.model)._meta.db_table)} h WHERE h.change_set_id = c.id {limit}) x"
        for place, kind in enumerate(kinds)
    )
    found: dict[UUID, list[Tally]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, n.* FROM unnest(%s::uuid[]) AS c(id)"  # noqa: S608  # as above
            f" CROSS JOIN LATERAL ({counted}) AS n(place, count, history_id) WHERE n.count > 0",
            [list(ids)],
        )
        for change_set_id, place, count, history_id in cursor.fetchall():
            found[change_set_id].append(Tally(kinds[place], count, history_id))
    return found


def _abouts(counted: dict[UUID, list[Tally]]) -> dict[UUID, str]:
    """Answer in words what each change set changed: the one entity by its name, more by their number."""
    single = {cs: found[0] for cs, found in counted.items() if len(found) == 1 and found[0].count == 1}
    by_model: dict[type[models.Model], list[int]] = defaultdict(list)
    for tally in single.values():
        by_model[tally.kind.model].append(tally.history_id)
    found_steps = {
        (model, history_id): step
        for model, made in steps({model: [(one, one) for one in ids] for model, ids in by_model.items()}).items()
        for (history_id, _), step in made.items()
    }
    names = Names(found_steps.values())
    abouts = {}
    for change_set_id, found in counted.items():
        if change_set_id in single:
            tally = single[change_set_id]
            step = found_steps[tally.kind.model, tally.history_id]
            abouts[change_set_id] = names.entity(step)
        else:
            abouts[change_set_id] = ", ".join(_how_many(tally) for tally in found)
    return abouts


def _how_many(tally: Tally) -> str:
    plural = tally.kind.name if tally.count == 1 else tally.kind.plural
    return f"{min(tally.count, COUNTED):,}{'+' if tally.count > COUNTED else ''} {plural}"


def summary_of(change_set: ChangeSet, about: str = "") -> str:
    """Answer the deed in one line: what was done, and why or to what."""
    return labels.deed_words(change_set.action, change_set.reason or about)


@dataclass(frozen=True, slots=True)
class _Chains:
    """What the change sets revert, and what reverts them, and that in turn."""

    by_id: dict[UUID, ChangeSet]
    reverting: dict[UUID, list[ChangeSet]]

    def reference(self, change_set_id: UUID | None) -> Reference | None:
        """Answer a change set as a link, if it is still kept."""
        one = self.by_id.get(change_set_id) if change_set_id else None
        return Reference(one.pk, summary_of(one), one.actor_name, one.created_at) if one else None

    def in_force(self, change_set_id: UUID) -> list[ChangeSet]:
        """Answer what took the change set back and wasn't taken back itself."""
        return [one for one in self.reverting[change_set_id] if not self.in_force(one.pk)]


def _chains(found: Sequence[ChangeSet]) -> _Chains:
    """Answer how the change sets hang together with others by reverts. One query."""
    table = quote(ChangeSet._meta.db_table)
    ids = [change_set.pk for change_set in found]
    parents = [change_set.reverts_id for change_set in found if change_set.reverts_id]
    others = ChangeSet.objects.raw(
        f"WITH RECURSIVE chain AS (SELECT * FROM {table} WHERE reverts_id = ANY(%s)"  # noqa: S608  # names come from the models
        f" UNION SELECT c.* FROM {table} c JOIN chain ON c.reverts_id = chain.id)"
        f" SELECT * FROM chain UNION SELECT * FROM {table} WHERE id = ANY(%s) ORDER BY created_at, id",
        [ids, parents],
    )
    by_id = {other.pk: other for other in others}
    reverting: dict[UUID, list[ChangeSet]] = defaultdict(list)
    for other in by_id.values():
        if other.reverts_id:
            reverting[other.reverts_id].append(other)
    return _Chains(by_id, reverting)


def _counts(counted: dict[UUID, list[Tally]]) -> dict[UUID, int]:
    return {change_set_id: sum(tally.count for tally in made) for change_set_id, made in counted.items()}


def rows_of(found: Sequence[ChangeSet]) -> list[ChangeSetRow]:
    """Answer the change sets as lists show them, in the same order. The number of queries doesn't depend on theirs."""
    if not found:
        return []
    chains = _chains(found)
    counted = tallies(list({*chains.by_id, *(one.pk for one in found)}))
    counts = _counts(counted)
    abouts = _abouts({one.pk: counted[one.pk] for one in found if one.pk in counted})

    def undone(one: ChangeSet) -> str:
        others = [other.pk for other in chains.in_force(one.pk)]
        taken_back, total = (sum(counts.get(pk, 0) for pk in pks) for pks in (others, [one.pk]))
        if taken_back > COUNTED:
            # Beyond the limit all are alike: whether the last of a large one was taken back only counting tells.
            exact = _counts(tallies([one.pk, *others], is_exact=True))
            taken_back, total = sum(exact.get(pk, 0) for pk in others), exact.get(one.pk, 0)
        return "" if not taken_back else "undone" if taken_back >= total else "partly undone"

    return [
        ChangeSetRow(
            id=one.pk,
            created_at=one.created_at,
            actor_type=one.actor_type,
            actor_id=one.actor_id,
            actor_name=one.actor_name,
            principal=one.principal,
            action=one.action,
            summary=summary_of(one, abouts.get(one.pk, "")),
            reason=one.reason,
            source=one.source,
            source_label=str(Source(one.source).label),
            count=counts.get(one.pk, 0),
            about=abouts.get(one.pk, ""),
            request_id=one.request_id,
            correlation_id=one.correlation_id,
            ip_address=one.ip_address,
            user_agent=one.user_agent,
            is_revertible=any(reverters.get(tally.kind.model) for tally in counted.get(one.pk, [])),
            undone=undone(one),
            reverts_id=one.reverts_id,
            reverts=chains.reference(one.reverts_id),
            reverted_by=tuple(
                reference for other in chains.reverting[one.pk] if (reference := chains.reference(other.pk))
            ),
        )
        for one in found
    ]


def log_page(filters: Filters, *, cursor: str | None, limit: int) -> LogPage:
    """Answer a page of the log, newest first. Raises BadRequest for a cursor that isn't ours."""
    found = change_sets(filters)
    page = CursorPagination("-created_at").page(found, cursor=cursor, limit=limit)
    total = found.order_by()[: COUNTED + 1].count()
    return LogPage(rows_of(page.rows), total if total <= COUNTED else None, page.next, page.previous)


def change_set_row(change_set_id: UUID) -> ChangeSetRow:
    """Answer one change set as its page shows it; raises NotFound."""
    return rows_of([get_change_set(change_set_id)])[0]


def latest_change_sets(*, limit: int) -> list[ChangeSetRow]:
    """Answer what happened lately, newest first."""
    return rows_of(list(ChangeSet.objects.order_by("-created_at", "-id")[:limit]))

"""The trail over HTTP: the log, a change set, and its revert."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpResponse
from django.urls import path, reverse
from rest_framework.request import Request

from audit import queries, services
from audit.diff import plain
from audit.errors import NothingToRevert
from audit.serializers import AuditQuery, ChangeSetAnswer, EntryRow, RevertAnswer, RevertInput
from audit.services import ABSENT, Decision, EntityPlan, Plan, Refusal, Reverted, State
from common import workspace
from common.access import SIGNED_IN
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import BadRequest

_LISTED = 200
_WHO = (
    "actor_type",
    "actor_id",
    "actor_name",
    "action",
    "reason",
    "source",
    "correlation_id",
    "request_id",
    "ip_address",
    "user_agent",
    "created_at",
)


def _salt() -> str:
    return f"cursor:{workspace.current_key()}:audit"


def _cursor(entry: queries.Entry, *, backwards: bool) -> str:
    change_set_id, code, history_id = entry.position
    return signing.dumps([backwards, str(change_set_id), code, history_id], salt=_salt())


def _position(cursor: str) -> tuple[bool, queries.Position]:
    try:
        backwards, change_set_id, code, history_id = signing.loads(cursor, salt=_salt())
    except (signing.BadSignature, ValueError) as error:
        raise BadRequest("The cursor is not one of ours.") from error
    return backwards, (UUID(change_set_id), code, history_id)


class AuditView(ApiView):
    """Who changed what, when, from where and why."""

    access = {"GET": "audit:read"}

    @operation(
        "List changes",
        description="One row for each change of an entity, newest first.",
        answers=EntryRow,
        query=AuditQuery,
        ordering=("-created_at",),
    )
    def get(self, request: Request) -> HttpResponse:
        given = self.query_filters
        who = f"{given.pop('actor_type', '')}:{given.pop('actor_id', '')}"
        filters = queries.Filters(**given, actor="" if who == ":" else who)
        backwards, position = _position(self.query["cursor"]) if self.query.get("cursor") else (False, None)
        ascending = (self.query["ordering"] == "created_at") != backwards
        read = queries.entries(filters, after=position, ascending=ascending, limit=self.query["limit"])
        rows = list(reversed(read.rows)) if backwards else read.rows
        has_next, has_previous = (bool(rows), read.has_more) if backwards else (read.has_more, position is not None)
        return self.listing(
            rows,
            next_cursor=_cursor(rows[-1], backwards=False) if rows and has_next else None,
            previous_cursor=_cursor(rows[0], backwards=True) if rows and has_previous else None,
            count=queries.count_entries(filters) if self.query["count"] else None,
        )


class ChangeSetView(ApiView):
    """What one request, job or command changed together."""

    access = {"GET": "audit:read"}

    @operation("Show a change set", answers=ChangeSetAnswer)
    def get(self, request: Request, change_set_id: UUID) -> HttpResponse:
        found = queries.detail(change_set_id)
        row = {name: getattr(found.row, name) for name in ("id", "summary", *_WHO)}
        reverted_by = [reference.id for reference in found.row.reverted_by]
        rest = {"entries": found.entries, "has_more": found.has_more}
        return self.answer({**row, "reverts": found.row.reverts_id, "reverted_by": reverted_by, **rest})


class RevertView(ApiView):
    """Puts back what a change set changed."""

    access = {"POST": SIGNED_IN}

    @operation(
        "Revert a change set",
        description=(
            "Puts back what was changed, as a change set of its own. Fields that were changed since stay, unless "
            "`decisions` name them. Needs `audit:revert`; for one's own change set of the last 24 hours the "
            "permissions of the change are enough. Of more than 200 entities a job does it, and its log says what was "
            "left and why."
        ),
        may_be_later=True,
        takes=RevertInput,
        answers=RevertAnswer,
        errors=(NothingToRevert,),
    )
    def post(self, request: Request, change_set_id: UUID) -> HttpResponse:
        body = self.body
        entity = (body["entity_type"], body["entity_id"]) if "entity_id" in body else None
        decided = [Decision(**decision) for decision in body["decisions"]]
        if body["dry_run"]:
            plan = services.preview_revert(change_set_id=change_set_id, entity=entity)
            if not plan.more:
                return self.answer(_planned(plan))
            return self._handed_over(
                services.start_trial(change_set_id=change_set_id, decisions=decided), is_trial=True
            )
        done = services.start_revert(change_set_id=change_set_id, entity=entity, decisions=decided)
        if isinstance(done, services.HandedOver):
            return self._handed_over(done, is_trial=False)
        return self.answer(_done(done))

    def _handed_over(self, done: services.HandedOver, *, is_trial: bool) -> HttpResponse:
        nothing_yet: dict[str, Any] = {
            "change_set_id": None,
            "reverted": 0,
            "conflicts": 0,
            "impossible": 0,
            "entities": [],
        }
        body = {"dry_run": is_trial, "job_id": done.job_id, **nothing_yet}
        location = reverse("api:job", args=[done.job_id], urlconf=self.request._request.urlconf)
        return self.answer(body, location=location, is_later=True)


def _value(value: Any) -> Any:
    return None if value is ABSENT else plain(value)


def _entity(plan: EntityPlan) -> dict[str, Any]:
    entity_type, entity_id = plan.identity
    return {
        "entity_type": entity_type,
        "entity_id": entity_id,
        "name": plan.name,
        "way": plan.way,
        "state": plan.state,
        "reason": plan.objection.reason if plan.objection else "",
        "counter_action": plan.objection.counter_action if plan.objection else "",
        "fields": [
            {
                "field": field.field,
                "state": field.state,
                "before": _value(field.value),
                "after": _value(field.value_after),
                "now": _value(field.value_now),
                "reason": field.reason,
            }
            for field in plan.fields
        ],
    }


def _planned(plan: Plan) -> dict[str, Any]:
    first = (State.CONFLICT, State.IMPOSSIBLE, State.CLEAN, State.DONE)
    entities = sorted(plan.entities, key=lambda entity: first.index(entity.state))[:_LISTED]
    return {
        "dry_run": True,
        "job_id": None,
        "change_set_id": None,
        "reverted": plan.clean,
        "conflicts": plan.conflicts,
        "impossible": plan.impossible,
        "entities": [_entity(entity) for entity in entities],
    }


def _refused(refusals: Iterable[Refusal]) -> list[dict[str, Any]]:
    return [
        {
            "entity_type": refusal.entity_type,
            "entity_id": refusal.entity_id,
            "name": refusal.name,
            "way": refusal.way,
            "state": State.IMPOSSIBLE,
            "reason": refusal.reason,
            "counter_action": "",
            "fields": [],
        }
        for refusal in refusals
    ]


def _done(done: Reverted) -> dict[str, Any]:
    return {
        "dry_run": False,
        "job_id": None,
        "change_set_id": done.change_set_id,
        "reverted": done.count,
        "conflicts": done.conflicts,
        "impossible": done.impossible,
        "entities": _refused(done.refusals),
    }


api_urlpatterns = [
    path("audit", AuditView.as_view(), name="audit"),
    path("audit/<uuid:change_set_id>", ChangeSetView.as_view(), name="change_set"),
    path("audit/<uuid:change_set_id>/revert", RevertView.as_view(), name="change_set_revert"),
]

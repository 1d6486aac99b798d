"""Picking over HTTP: all that a device, the web's own or the extension, needs for a walk."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from catalog.pictures import picture_url
from catalog.queries.images import IN_LISTS, ON_PAGES
from common import actor
from common.api.operations import operation
from common.api.pagination import CursorPagination
from common.api.views import ApiView
from common.errors import Conflict, Invalid, PaymentRequired, PermissionDenied, ProblemError, StaleVersion
from common.templatetags.ui import initials
from picker import services
from picker.errors import AlreadyPicked, KeyReused, OrderLeft, SessionClosed, StopChanged
from picker.models import Picker, PickEvent, PickNeed, PickSession
from picker.queries import routes
from picker.queries.sessions import entries_of, get_session, outcomes_of, require_own, sessions
from picker.serializers import (
    HandOverInput,
    OnePick,
    PickEventOut,
    PickInput,
    PickProgressOut,
    PickRouteOut,
    PickSessionDetailOut,
    PickSessionInput,
    PickSessionOut,
    PickSessionPatch,
    PicksOut,
    ProgressQuery,
    SessionQuery,
    TakeOverInput,
)
from picker.services import Elsewhere, Pick

_KEY = "0195e2a4-7d41-7c3e-9d0a-2f6f3a1b9c55"
_EXAMPLE_PICK = {
    "idempotency_key": _KEY, "order_line": _KEY, "stop": _KEY, "event_type": "PICKED", "qty": 6,
    "picked_at": "2026-11-27T09:30:00Z",
}  # fmt: skip


def _me() -> Any:
    """Answer the key of the person who asks; a program has none."""
    who = actor.current()
    return UUID(who.id) if who.kind == actor.ActorKind.USER and who.id else None


def _person() -> Any:
    if (me := _me()) is None:
        raise PermissionDenied("Only a person takes part in a session.", permission="picker:pick")
    return me


def _detail(session: PickSession) -> dict[str, Any]:
    entries = entries_of(session)
    names = [str(name) for name in PickSessionOut().fields]
    return {
        **{name: getattr(session, name) for name in names},
        "orders": entries,
        "outcome": [
            {
                "order": one.entry.order_id, "number": one.entry.order.external_order_id,
                "batch_code": one.entry.batch_code, "status": one.entry.order.status, "leaving": one.entry.leaving,
                "short": [
                    {
                        "order_line": short.line.pk, "item_no": short.line.item_no, "item_name": short.line.item_name,
                        "color_name": short.line.color_name, "qty": short.qty,
                    }
                    for short in one.short
                ],
            }
            for one in (() if session.is_open else outcomes_of(session, entries))
        ],
    }  # fmt: skip


def _pickers(found: Sequence[Picker]) -> list[Picker]:
    for picker in found:
        picker.initials = initials(picker.user.display_name)  # type: ignore[attr-defined]  # for the answer alone
    return list(found)


def _route(session: PickSession) -> dict[str, Any]:
    route = routes.route_of(session)
    codes = route.codes
    return {
        "session": session, "me": str(_me() or ""), "orders": route.entries, "pickers": _pickers(route.pickers),
        "stops": [_stop(stop, codes) for stop in route.stops if stop.lot is not None],
    }  # fmt: skip


def _stop(stop: routes.Stop, codes: Mapping[UUID, str]) -> dict[str, Any]:
    row, lot = stop.row, stop.lot
    assert lot is not None  # noqa: S101  # the caller has looked
    place = None
    if row.location_code:
        zone = row.location.zone if row.location else ""
        place = {"id": row.location_id, "code": row.location_code, "zone": zone}
    return {
        "id": row.pk, "position": row.position, "picker": row.picker_id, "location": place,
        "lot": {
            **{
                name: getattr(lot, name)
                for name in ("item_type", "item_no", "item_name", "color_id", "color_name", "condition", "description")
            },
            "id": lot.pk, "completeness": lot.completeness or "", "rgb": routes.rgb_of(lot),
            "image": picture_url(lot.item_type, lot.item_no, lot.color_id, side=IN_LISTS),
            "picture": picture_url(lot.item_type, lot.item_no, lot.color_id, side=ON_PAGES),
        },
        "needs": [_need(need, codes) for need in stop.needs],
        "others": [asdict(place) for place in stop.others],
        "lookalikes": [asdict(alike) for alike in stop.lookalikes],
    }  # fmt: skip


def _need(need: PickNeed, codes: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": need.pk, "order_line_id": need.order_line_id, "batch_code": codes.get(need.order_line.order_id, ""),
        "qty": need.qty, "qty_picked": need.qty_picked, "qty_missing": need.qty_missing,
    }  # fmt: skip


class _PickingView(ApiView):
    """Picking belongs to both editions: the phone's own screen and the extension are made of it."""

    public_api = ()


class SessionsView(_PickingView):
    """Pick sessions."""

    access = {"GET": "picker:read", "POST": "picker:create_session"}

    @operation("List pick sessions", answers=PickSessionOut, query=SessionQuery, ordering=("-number", "completed_at"))
    def get(self, _request: Request) -> HttpResponse:
        """Answer the sessions, the newest first."""
        pages = CursorPagination(self.query["ordering"], nulls_last=True)
        return self.page(sessions(self.query.get("status", ())), pages=pages)

    @operation(
        "Make a pick session", takes=PickSessionInput, answers=PickSessionDetailOut, status=201,
        errors=(Conflict, PaymentRequired),
        example={"order_ids": [_KEY], "start": True},
        description="The orders become PICKING. One with a flag that asks for a person needs `with_flagged`.",
    )  # fmt: skip
    def post(self, _request: Request) -> HttpResponse:
        """Make a session."""
        body, now = self.body, timezone.now()
        session = services.create_session(
            order_ids=body["order_ids"], notes=body.get("notes", ""), with_flagged=body.get("with_flagged", False),
            starts=body.get("start", False), now=now,
        )  # fmt: skip
        location = reverse("api:pick-session", args=[session.pk], urlconf=self.request._request.urlconf)
        return self.answer(_detail(session), location=location)


class SessionView(_PickingView):
    """One pick session."""

    access = {"GET": "picker:read", "PATCH": "picker:pick", "DELETE": "picker:pick"}

    @operation("Show a pick session", answers=PickSessionDetailOut)
    def get(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Answer a session with its orders."""
        return self.answer(_detail(get_session(session_id)))

    @operation(
        "Start, finish or annotate a pick session", takes=PickSessionPatch, answers=PickSessionDetailOut,
        errors=(StaleVersion, SessionClosed, PaymentRequired), example={"status": "COMPLETED"},
    )  # fmt: skip
    def patch(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Change a session: one's own, or any for who manages sessions."""
        require_own(get_session(session_id), actor.current())
        session = services.change_session(
            session_id=session_id, status=self.body.get("status"), notes=self.body.get("notes"), now=timezone.now(),
            expected_version=self.body.get("version"),
        )  # fmt: skip
        return self.answer(_detail(session))

    @operation("Cancel a pick session", errors=(SessionClosed, PaymentRequired))
    def delete(self, _request: Request, session_id: UUID) -> HttpResponse:
        """End a session without finishing it: its orders wait again."""
        require_own(get_session(session_id), actor.current())
        services.cancel_session(session_id=session_id, now=timezone.now())
        return self.answer()


class RouteView(_PickingView):
    """The walk of a session."""

    access = {"GET": "picker:read"}

    @operation("Show the route of a pick session", answers=PickRouteOut)
    def get(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Answer the stops in walking order."""
        return self.answer(_route(get_session(session_id)))


class ProgressView(_PickingView):
    """What colleagues did."""

    access = {"GET": "picker:read"}

    @operation("Follow a pick session", answers=PickProgressOut, query=ProgressQuery)
    def get(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Answer what changed since a version; of who takes part, it notes that their device was heard of."""
        session = get_session(session_id)
        if (me := _me()) is not None:
            services.note_seen(session_id=session_id, user_id=me, stop_id=self.query.get("stop"), now=timezone.now())
        changed = [
            {
                "stop": stop.pk, "picker": stop.picker_id,
                "needs": [[str(one.pk), one.qty, one.qty_picked, one.qty_missing] for one in stop.needs.all()],
            }
            for stop in routes.changed_since(session, self.query.get("since", 0))
        ]  # fmt: skip
        return self.answer(
            {
                "session": session, "pickers": _pickers(routes.pickers_of(session)), "changed": changed,
                "route_version": session.route_version,
            }
        )  # fmt: skip


class PickView(_PickingView):
    """What pickers say."""

    access = {"POST": "picker:pick"}

    @operation(
        "Pick", takes=PickInput, answers=PicksOut, status=201, example=_EXAMPLE_PICK,
        errors=(AlreadyPicked, SessionClosed, OrderLeft, StopChanged, KeyReused, PaymentRequired),
        description=(
            "One pick, or up to 200 as `picks`, each in a transaction of its own and in their order. Of several each "
            "may be refused by itself. The same `idempotency_key` with the same content is the same pick, for good."
        ),
    )  # fmt: skip
    def post(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Note picks."""
        session = get_session(session_id)
        if "one" in self.body:
            done = services.record_pick(
                session_id=session_id, pick=_pick(self.body["one"]), user_id=_me(), now=timezone.now()
            )
            answer = self.answer({"results": [_result(done)], "session": done.session})
            if done.is_known:
                answer.status_code = 200
            return answer
        results = [_one_of_many(session_id, raw) for raw in self.body.get("picks", ())]
        session.refresh_from_db()
        answer = self.answer({"results": results, "session": session})
        answer.status_code = 200
        return answer


def _one_of_many(session_id: UUID, raw: dict[str, Any]) -> dict[str, Any]:
    """Do one pick of several; answer what became of it."""
    key = str(raw.get("idempotency_key", ""))[:64]
    given = OnePick(data=raw)
    try:
        if not given.is_valid():
            raise Invalid("This pick can't be read.", errors={"": ["This pick can't be read."]})
        pick = _pick(given.validated_data)
        return _result(services.record_pick(session_id=session_id, pick=pick, user_id=_me(), now=timezone.now()))
    except ProblemError as problem:
        return {
            "idempotency_key": key, "status": "refused", "event": None,
            "problem": {
                "type": problem.type, "title": problem.title, "status": problem.status_code,
                "detail": problem.detail or _first_error(problem) or problem.title,
            },
        }  # fmt: skip


def _first_error(problem: ProblemError) -> str:
    messages = [text for texts in problem.extra.get("errors", {}).values() for text in texts]
    return messages[0] if messages else ""


def _result(done: services.Recorded) -> dict[str, Any]:
    status = "known" if done.is_known else "accepted"
    return {
        "idempotency_key": done.event.idempotency_key, "status": status, "event": done.event.key, "problem": None,
    }  # fmt: skip


def _pick(values: dict[str, Any]) -> Pick:
    elsewhere = values.get("elsewhere")
    return Pick(
        idempotency_key=values["idempotency_key"], order_line_id=values["order_line"], event_type=values["event_type"],
        qty=values["qty"], picked_at=values.get("picked_at") or timezone.now(), stop_id=values.get("stop"),
        corrects=values.get("corrects", ""), remainder=values.get("remainder", ""), counted=values.get("counted"),
        elsewhere=Elsewhere(elsewhere["location"], elsewhere["stop"]) if elsewhere else None,
        notes=values.get("notes", ""),
    )  # fmt: skip


class EventsView(_PickingView):
    """All that was said in a session."""

    access = {"GET": "picker:read"}

    @operation("List the picks of a session", answers=PickEventOut, ordering=("id",))
    def get(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Answer the picks, the first first."""
        get_session(session_id)
        return self.page(PickEvent.objects.filter(session=session_id).select_related("corrects"))


class JoinView(_PickingView):
    """Taking part in a session."""

    access = {"POST": "picker:pick"}

    @operation("Take part in a pick session", answers=PickRouteOut, errors=(SessionClosed, PaymentRequired))
    def post(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Take part: what is nobody's becomes one's own, else half of what a colleague has left."""
        return self.answer(_route(services.join(session_id=session_id, user_id=_person(), now=timezone.now())))


class TakeOverView(_PickingView):
    """What a colleague has left."""

    access = {"POST": "picker:pick"}

    @operation(
        "Take over a colleague's stops",
        takes=TakeOverInput,
        answers=PickRouteOut,
        errors=(SessionClosed, PaymentRequired),
    )
    def post(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Take over all that a colleague has left."""
        session = services.take_over(
            session_id=session_id, from_id=self.body["from"], user_id=_person(), now=timezone.now()
        )
        return self.answer(_route(session))


class HandOverView(_PickingView):
    """What one has left."""

    access = {"POST": "picker:pick"}

    @operation(
        "Hand one's stops over",
        takes=HandOverInput,
        answers=PickRouteOut,
        errors=(SessionClosed, Conflict, PaymentRequired),
    )
    def post(self, _request: Request, session_id: UUID) -> HttpResponse:
        """Hand all that one has left over to a colleague who takes part."""
        session = services.hand_over(
            session_id=session_id, to_id=self.body["to"], user_id=_person(), now=timezone.now()
        )
        return self.answer(_route(session))


_AT = "picker/sessions/<uuid:session_id>"
api_urlpatterns = [
    path("picker/sessions", SessionsView.as_view(), name="pick-sessions"),
    path(_AT, SessionView.as_view(), name="pick-session"),
    path(f"{_AT}/route", RouteView.as_view(), name="pick-route"),
    path(f"{_AT}/progress", ProgressView.as_view(), name="pick-progress"),
    path(f"{_AT}/pick", PickView.as_view(), name="pick"),
    path(f"{_AT}/events", EventsView.as_view(), name="pick-events"),
    path(f"{_AT}/join", JoinView.as_view(), name="pick-join"),
    path(f"{_AT}/take-over", TakeOverView.as_view(), name="pick-take-over"),
    path(f"{_AT}/hand-over", HandOverView.as_view(), name="pick-hand-over"),
]

"""Pages of what has no mapping: one at a time with what it may be, all of it as a list, and what was decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from catalog import colors
from catalog.choices import ItemType
from catalog.queries.candidates import Candidate, candidates, outside_candidates
from catalog.queries.items import items_of
from catalog.queries.search import NUMBER, Hit
from common import actor, workspace
from common.access import require
from common.errors import BadRequest, Invalid, NotFound, ProblemError
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from inventory import services
from inventory.choices import Direction, NumberSystem, UnmappedOrigin
from inventory.forms.mappings import color_id_of
from inventory.models import InventoryImport
from inventory.queries import catalog as stock
from inventory.queries import imports
from inventory.queries import unmapped as queries
from inventory.queries.mappings import find_items
from inventory.queries.unmapped import Queue, Unmapped
from inventory.questions import Question
from inventory.views.catalog import ResultRow, rows_of
from inventory.views.lots import color_names
from inventory.views.parts import Tab, page_of, start_of
from inventory.views.state import list_url

PAGE = 50
_FOUND, _LOTS_SHOWN, _MAX_DIGITS, _MAX_QUERY = 5, 6, 6, 100
_TABS = (("", "All"), ("import", "From imports"), ("stock", "From stock"), ("channel", "From channels"))
_ORIGINS = {name: UnmappedOrigin(name.upper()) for name, _ in _TABS if name}


@dataclass(frozen=True, slots=True)
class Where:
    """Which part of the queue is looked at, and how many of it were skipped."""

    origin: str = ""
    run_id: UUID | None = None
    skipped: int = 0

    @classmethod
    def of(cls, request: HttpRequest) -> "Where":
        """Read it from the address, or from what a form carries along."""
        source = request.POST if request.method == "POST" else request.GET
        origin, run, skipped = (source.get(name, "") for name in ("origin", "import", "skip"))
        try:
            run_id = UUID(run) if run else None
        except ValueError:
            raise NotFound("There is no such import.") from None
        is_number = skipped.isascii() and skipped.isdecimal() and len(skipped) <= _MAX_DIGITS
        return cls(origin if origin in _ORIGINS else "", run_id, int(skipped) if is_number else 0)

    def query(self, **changes: object) -> str:
        """Answer it as an address has it."""
        values = {"origin": self.origin, "import": self.run_id or "", "skip": self.skipped or "", **changes}
        return urlencode({name: str(value) for name, value in values.items() if value})

    def url(self, *, name: str = "catalog:unmapped", **changes: object) -> str:
        """Answer the page of it."""
        query = self.query(**changes)
        return f"{reverse(name)}{'?' if query else ''}{query}"

    def open_questions(self, *, first: int, count: int) -> Queue:
        """Answer this part of the queue."""
        return queries.open_questions(
            origin=_ORIGINS.get(self.origin, ""), run_id=self.run_id, first=first, count=count
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """An item that may be chosen. `pick`: by what a form names it; `key`: on the keyboard."""

    row: ResultRow
    reason: str
    pick: str
    key: str = ""


def _choices(offered: Iterable[Candidate], *, keyed: bool) -> list[Choice]:
    offered = list(offered)
    rows = rows_of(tuple(each.hit for each in offered))
    return [
        Choice(row, each.reason, _pick_of(row.hit), str(place) if keyed else "")
        for place, (row, each) in enumerate(zip(rows, offered, strict=True), 1)
    ]


def _pick_of(hit: Hit) -> str:
    return f"{hit.item_type}:{'' if hit.color_id is None else hit.color_id}:{hit.item_no}"


# --- One at a time --------------------------------------------------------------------------------------------------
@require_GET
@require("inventory:read")
def unmapped(request: HttpRequest) -> HttpResponse:
    """Show what keeps the most money off sale and has no mapping, with what it may be."""
    where = Where.of(request)
    queue = where.open_questions(first=where.skipped, count=1)
    row = queue.rows[0] if queue.rows else None
    if where.skipped >= queue.total:
        where = Where(where.origin, where.run_id)
    run = _run_of(where.run_id)
    context: dict[str, Any] = {
        "where": where,
        "queue": queue,
        "row": row,
        "run": run,
        "place": where.skipped + 1,
        "currency": workspace.current().currency,
        "skip_url": where.url(skip=where.skipped + 1) if where.skipped + 1 < queue.total else "",
        "back_url": where.url(skip=where.skipped - 1) if where.skipped else "",
        "list_url": where.url(name="catalog:unmapped_list", skip=""),
        "can_import_again": bool(run and run.status == "COMPLETED" and run.counts.get("PROBLEM")),
    }
    if row is not None:
        context |= _asked(request, row)
    return render(request, "inventory/unmapped.html", context)


def _run_of(run_id: UUID | None) -> InventoryImport | None:
    return imports.get_import(run_id) if run_id else None


def _asked(request: HttpRequest, row: Unmapped) -> dict[str, Any]:
    question = row.question
    if question.is_outbound:
        outside = outside_candidates(item_type=question.item_type, item_no=question.number, system=question.system)
        color = colors.get(int(question.color)) if question.color.isdecimal() else None
        return {"outside": [(str(place), each) for place, each in enumerate(outside, 1)], "of_color": color}
    own = [(question.item_type, question.number)] if question.is_of_stock else []
    offered = candidates(system=question.system, number=question.number, name=row.item_name, but=own)
    text = request.GET.get("q", "").strip()[:_MAX_QUERY]
    lots = stock.stock_of(own).get(own[0], []) if row.is_from_stock else []
    return {
        "choices": _choices(offered, keyed=True),
        "found": _choices(_found(request, text), keyed=False) if text else [],
        "q": text,
        "lots": lots[:_LOTS_SHOWN],
        "lots_url": list_url(urlencode({"type": question.item_type, "item_no": question.number})),
        "asks_color": question.system == NumberSystem.ELEMENT,
        "color_names": color_names() if question.system == NumberSystem.ELEMENT else [],
    }


def _found(request: HttpRequest, text: str) -> list[Candidate]:
    """Answer what one's own search finds: the item that was taken from the offers, else what the text may mean."""
    item_type = request.GET.get("type", "")
    item = items_of([(item_type, text)]).get((item_type, text)) if item_type in ItemType.values else None
    if item is not None:
        hit = Hit(item.pk, item.item_type, item.item_no, item.name, item.popularity, NUMBER,
                  is_provisional=item.is_provisional)  # fmt: skip
        hits: Iterable[Hit] = (hit,)
    else:
        hits = find_items(text, limit=_FOUND).hits
    return [
        Candidate(hit, hit.translation or "Your own search") for hit in hits if hit.item_id and not hit.is_provisional
    ]


# --- Deciding -------------------------------------------------------------------------------------------------------
def _question_of(request: HttpRequest) -> Question:
    values = {
        name: request.POST.get(name, "") for name in ("system", "number", "item_type", "color_there", "direction")
    }
    question = Question(
        values["system"], values["number"], values["item_type"], values["color_there"],
        values["direction"] or Direction.INBOUND,
    )  # fmt: skip
    if not question.is_known_kind or question.item_type not in ("", *ItemType.values):
        raise BadRequest("This is no question of the list. Open the list again.")
    return question


def _decided_by() -> UUID | None:
    who = actor.current()
    return UUID(who.id) if who.kind is actor.ActorKind.USER else None


def _refused(request: HttpRequest, error: ProblemError) -> HttpResponse:
    errors = [text for texts in error.errors.values() for text in texts] if isinstance(error, Invalid) else []
    messages.error(request, " ".join(errors) or error.detail or error.title)
    return redirect(request, Where.of(request).url())


@require_POST
@require("inventory:write")
def decide(request: HttpRequest) -> HttpResponse:
    """Take what a number is, and go on to the next."""
    question, where, now = _question_of(request), Where.of(request), timezone.now()
    try:
        if question.is_outbound:
            number = request.POST.get("external_id", "") or request.POST.get("pick", "")
            services.map_outside(question=question, external_id=number, decided_by_id=_decided_by(), now=now)
            told = f"{question.number} is {question.system_label} {number.strip()}."
        else:
            told = _map(request, question)
    except ProblemError as error:
        return _refused(request, error)
    return go_on(request, where.url(), message=told, undo=current_change_set_id())


def _map(request: HttpRequest, question: Question) -> str:
    change = request.POST.get("change", "")
    item_type, color, item_no = [*(change or request.POST.get("pick", "")).split(":", 2), "", ""][:3]
    said = request.POST.get("color", "").strip()
    color_id = color_id_of(said) if said else int(color) if color.isascii() and color.isdecimal() else None
    changed = services.map_number(
        question=question, item_type=item_type, item_no=item_no, decided_by_id=_decided_by(), now=timezone.now(),
        # Only an element says a color; a color that was searched for isn't the number's.
        color_id=color_id if question.system == NumberSystem.ELEMENT else None, changes_lots=bool(change),
    )  # fmt: skip
    if changed:
        return f"{changed:,} lot{'' if changed == 1 else 's'} changed from {question.number} to {item_no}."
    return f"{question.system_label} {question.number} is {item_no}."


@require_POST
@require("inventory:write")
def leave(request: HttpRequest) -> HttpResponse:
    """Take that a number is none of the catalog's items, and go on to the next."""
    question, where = _question_of(request), Where.of(request)
    try:
        services.leave_unmapped(question=question, decided_by_id=_decided_by())
    except ProblemError as error:
        return _refused(request, error)
    told = f"{question.number} isn't asked about again."
    return go_on(request, where.url(), message=told, undo=current_change_set_id())


@require_POST
@require("inventory:write")
def reopen(request: HttpRequest, left_id: UUID) -> HttpResponse:
    """Have it asked again what a number is."""
    left = services.reopen(left_id=left_id)
    url = f"{reverse('catalog:unmapped_list')}?show=left"
    return go_on(request, url, message=f"{left.number} is asked about again.", undo=current_change_set_id())


# --- All of it ------------------------------------------------------------------------------------------------------
@require_GET
@require("inventory:read")
def unmapped_list(request: HttpRequest) -> HttpResponse:
    """Show all that has no mapping, the most money first; or what was said to be none of the catalog's items."""
    where, first, shows_left = Where.of(request), start_of(request), request.GET.get("show") == "left"
    context: dict[str, Any] = {
        "where": where, "tabs": _tabs(where, shows_left=shows_left), "shows_left": shows_left,
        "run": _run_of(where.run_id), "currency": workspace.current().currency,
    }  # fmt: skip
    if shows_left:
        text = request.GET.get("q", "").strip()[:_MAX_QUERY]
        found = queries.left_unmapped(text)
        rows: list[Any] = list(found[first : first + PAGE])
        total = found.count()
        context |= {"left": rows, "q": text}
    else:
        queue = where.open_questions(first=first, count=PAGE)
        first = first if first < queue.total else 0
        rows, total = [(where.url(skip=place), row) for place, row in enumerate(queue.rows, first)], queue.total
        context |= {"rows": rows, "queue": queue}
    context["page"] = page_of(request, first=first, shown=len(rows), total=total, size=PAGE)
    return render(request, "inventory/unmapped_list.html", context, partial="rows")


def _tabs(where: Where, *, shows_left: bool) -> list[Tab]:
    base = reverse("catalog:unmapped_list")
    tabs = [
        Tab(
            label,
            0,
            where.url(name="catalog:unmapped_list", origin=name, skip=""),
            not shows_left and name == where.origin,
        )
        for name, label in _TABS
    ]
    return [*tabs, Tab("None of these", 0, f"{base}?show=left", shows_left)]

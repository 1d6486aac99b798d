"""Pages of import and export: give a file, answer what it can't say, look, carry out, take back."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from audit import queries as trail
from audit.services import reverting
from common import actor, workspace
from common.access import require
from common.errors import Invalid, NotFound
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory import formats
from inventory.choices import ImportStatus, LineOutcome
from inventory.formats.base import FileFacts
from inventory.forms.importing import AnswersForm, ImportOptionsForm, UploadForm
from inventory.models import InventoryImport
from inventory.parsing.columns import guarded
from inventory.queries import imports
from inventory.services import importing
from inventory.services.importing import Options
from jobs import queries as jobs

_TAB_ORDER = (
    LineOutcome.NEW,
    LineOutcome.MERGED,
    LineOutcome.CHANGED,
    LineOutcome.PROBLEM,
    LineOutcome.SKIPPED,
    LineOutcome.EQUAL,
)
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Tab:
    """An outcome with its number of lines."""

    label: str
    count: int
    url: str
    current: bool


@require("inventory:import")
def import_list(request: HttpRequest) -> HttpResponse:
    """Take a file in, and show what became of the latest ones."""
    form = UploadForm(request.POST or None, request.FILES or None, initial={"key": str(new_id())})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                run = importing.start_import(
                    file=upload.file,
                    file_name=upload.name,
                    options=Options(),
                    key=form.cleaned_data["key"],
                    now=timezone.now(),
                )
                return redirect(request, reverse("inventory:import", args=[run.pk]))
            except Invalid as error:
                form.add_error("file", error.detail or " ".join(chain.from_iterable(error.errors.values())))
        status = 422
    limit = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
    latest = [(run, imports.standing(run)) for run in imports.recent_imports()]
    context = {"form": form, "imports": latest, "limit_mb": limit}
    return render(request, "inventory/imports.html", context, status=status)


@require_GET
@require("inventory:import")
def import_detail(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show where an import stands: its questions, its progress, its preview, its result."""
    run = imports.get_import(import_id)
    if run.status == ImportStatus.MAPPING:
        return _questions(request, run)
    return _page(request, run)


def _page(request: HttpRequest, run: InventoryImport, form: ImportOptionsForm | None = None) -> HttpResponse:
    status = imports.standing(run)
    job = run.apply_job if status != ImportStatus.READING and run.apply_job else run.read_job
    is_busy = status in (ImportStatus.READING, ImportStatus.APPLYING)
    outcome = _outcome(request, run)
    after = request.GET.get("after", "")
    page = None
    if outcome and not is_busy:
        position = int(after) if after.isdecimal() and len(after) <= _MAX_DIGITS else 0
        page = imports.lines_of(run, outcome=outcome, after=position)
    options = Options.of(run.options)
    count = {each: run.counts.get(each, 0) for each in LineOutcome}
    context = {
        "run": run,
        "status": status,
        "error": run.error_message or (job.error_message if job else ""),
        "job": jobs.row_of(job, who=actor.current(), now=timezone.now()) if job else None,
        "is_busy": is_busy,
        "form": form or ImportOptionsForm.of(options),
        "tabs": _tabs(run, outcome),
        "outcome": outcome,
        "page": page,
        "to_do": count[LineOutcome.NEW] + count[LineOutcome.MERGED] + count[LineOutcome.CHANGED],
        "problem_count": count[LineOutcome.PROBLEM],
        "counts": {name.lower(): value for name, value in count.items()},
        "changes_count": count[LineOutcome.MERGED] + count[LineOutcome.CHANGED],
        "before": imports.imported_before(run) if run.status == ImportStatus.PREVIEW else None,
        "adds": options.quantity == "ADD",
        **_taking_back(run, is_busy=is_busy),
        "ignored": sorted(run.ignored.items(), key=lambda found: -found[1]),
    }
    return render(request, "inventory/import.html", context, partial=("import", "lines"), status=422 if form else 200)


def _taking_back(run: InventoryImport, *, is_busy: bool) -> dict[str, Any]:
    """Answer what the import changed, if anything, and whether whoever looks may take it back."""
    if is_busy or not run.change_set_id:
        return {}
    try:
        changed = trail.change_set_row(run.change_set_id)
    except NotFound:
        return {}
    may_revert = changed.undone != "undone" and bool(reverting.offered([changed]))
    return {"changed": changed, "may_revert": may_revert}


def _outcome(request: HttpRequest, run: InventoryImport) -> LineOutcome | None:
    wanted = request.GET.get("lines", "")
    if wanted in LineOutcome.values:
        return LineOutcome(wanted)
    return next((outcome for outcome in _TAB_ORDER if run.counts.get(outcome)), None)


def _tabs(run: InventoryImport, outcome: LineOutcome | None) -> list[Tab]:
    base = reverse("inventory:import", args=[run.pk])
    return [
        Tab(each.label, run.counts.get(each, 0), f"{base}?lines={each}", each == outcome)
        for each in _TAB_ORDER
        if run.counts.get(each)
    ]


def _facts(run: InventoryImport) -> FileFacts:
    with importing.open_file(run) as stream:
        return formats.get(run.format).facts(cast("io.BufferedReader", stream))


def _questions(request: HttpRequest, run: InventoryImport, form: AnswersForm | None = None) -> HttpResponse:
    facts = _facts(run)
    form = form or _answers_form(run, facts)
    columns = [
        {"field": form[f"column_{place}"], "sample": [row[place] for row in facts.sample if place < len(row)]}
        for place in range(len(facts.columns))
    ]
    context = {"run": run, "form": form, "columns": columns, "asks_rate": "rate" in form.fields}
    return render(request, "inventory/import_answers.html", context, status=422 if form.is_bound else 200)


def _answers_form(run: InventoryImport, facts: FileFacts, data: object = None) -> AnswersForm:
    ours = workspace.current().currency
    theirs = run.file_currency
    return AnswersForm(
        data,
        columns=tuple(facts.columns),
        mapping=Options.of(run.options).mapping,
        rate=(theirs, ours) if theirs and theirs != ours else None,
    )


@require_POST
@require("inventory:import")
def import_answers(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Take the answers to what the file can't say, and read it."""
    run = imports.get_import(import_id)
    form = _answers_form(run, _facts(run), request.POST)
    if form.is_valid():
        options = replace(Options.of(run.options), mapping=form.mapping(), currency_rate=form.cleaned_data.get("rate"))
        try:
            run = importing.answer_questions(import_id=import_id, options=options, now=timezone.now())
        except Invalid as error:
            for messages in error.errors.values():
                form.add_error(None, " ".join(messages))
        else:
            if run.status == ImportStatus.MAPPING:
                form.add_error(None, "Say which column has the item's number, or BrickLink's lot number.")
            else:
                return redirect(request, reverse("inventory:import", args=[run.pk]))
    return _questions(request, run, form)


@require_POST
@require("inventory:import")
def import_again(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Make the preview anew with other choices."""
    run = imports.get_import(import_id)
    form = ImportOptionsForm(request.POST)
    if not form.is_valid():
        return _page(request, run, form)
    return _read_again(request, run, form.options(Options.of(run.options)))


def _read_again(request: HttpRequest, run: InventoryImport, options: Options) -> HttpResponse:
    importing.read_again(import_id=run.pk, options=options, now=timezone.now())
    return redirect(request, reverse("inventory:import", args=[run.pk]))


@require_POST
@require("inventory:import")
def import_approve(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Carry out what the preview shows; with other choices than the preview's, show what these would do first."""
    form = ImportOptionsForm(request.POST)
    if "way" in request.POST and form.is_valid():
        run = imports.get_import(import_id)
        shown = Options.of(run.options)
        if run.status == ImportStatus.PREVIEW and form.options(shown) != shown:
            messages.info(request, "You had changed the choices: this is what they would do.")
            return _read_again(request, run, form.options(shown))
    importing.approve(import_id=import_id, now=timezone.now())
    return redirect(request, reverse("inventory:import", args=[import_id]))


@require_POST
@require("inventory:import")
def import_discard(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Throw a preview away."""
    importing.discard(import_id=import_id, now=timezone.now())
    return go_on(request, reverse("inventory:imports"), message="File discarded. Nothing was changed.")


@require_GET
@require("inventory:import")
def import_problems(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Answer the lines with a problem as a file."""
    run = imports.get_import(import_id)
    response = StreamingHttpResponse(
        _problem_rows(run, workspace.current_key()), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="problems-{slugify(run.file_name)}.csv"'
    return cast("HttpResponse", response)


def _problem_rows(run: InventoryImport, key: str) -> Iterator[bytes]:
    yield "\ufeff".encode()
    yield _csv_row(["Line", "Problem", "Field", "What stands there"])
    # The body is made after the middleware has left the shop.
    with workspace.enter(key):
        for line in imports.problems_of(run).iterator(chunk_size=1000):
            yield _csv_row([str(line.line), line.message, line.problem_field, line.raw])


def _csv_row(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([guarded(cell) for cell in cells])
    return text.getvalue().encode()

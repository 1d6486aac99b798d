"""Pages of import and export: give a file, answer what it can't say, look, carry out, take back."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from catalog.queries import rates
from common import workspace
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, redirect, render
from common.http import HttpRequest
from common.ids import new_id
from inventory import formats
from inventory.choices import ImportStatus, LineOutcome
from inventory.formats.base import FileFacts
from inventory.forms.importing import AnswersForm, ImportOptionsForm, UploadForm
from inventory.models import InventoryImport
from inventory.parsing.columns import guarded
from inventory.queries import imports, unmapped
from inventory.services import importing
from inventory.services.importing import Options
from inventory.views.parts import outcome_of, position_of, standing_of, tabs_of

_TAB_ORDER = (
    LineOutcome.NEW,
    LineOutcome.MERGED,
    LineOutcome.CHANGED,
    LineOutcome.PROBLEM,
    LineOutcome.SKIPPED,
    LineOutcome.EQUAL,
)


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
    latest = list(imports.recent_imports())
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
    standing = standing_of(run)
    is_busy = standing["is_busy"]
    outcome = outcome_of(run, request.GET.get("lines", ""), _TAB_ORDER)
    shows = outcome is not None and not is_busy
    options = Options.of(run.options)
    is_left_out = bool(options.left_out_by)
    count = {each: run.counts.get(each, 0) for each in LineOutcome}
    context = {
        **standing,
        "form": form or ImportOptionsForm.of(options),
        "tabs": tabs_of(run, f"{reverse('inventory:import', args=[run.pk])}?lines=", _TAB_ORDER, outcome),
        "outcome": outcome,
        "page": imports.lines_of(run, outcome=outcome, after=position_of(request)) if shows and outcome else None,
        "to_do": count[LineOutcome.NEW] + count[LineOutcome.MERGED] + count[LineOutcome.CHANGED],
        "problem_count": count[LineOutcome.PROBLEM],
        "counts": {name.lower(): value for name, value in count.items()},
        "changes_count": count[LineOutcome.MERGED] + count[LineOutcome.CHANGED],
        "before": imports.imported_before(run) if run.status == ImportStatus.PREVIEW and not is_left_out else None,
        "is_left_out": is_left_out,
        "unmapped_count": unmapped.count_of_import(run.pk) if count[LineOutcome.PROBLEM] and not is_busy else 0,
        "adds": options.quantity == "ADD",
        "ignored": sorted(run.ignored.items(), key=lambda found: -found[1]),
    }
    return render(request, "inventory/import.html", context, partial=("import", "lines"), status=422 if form else 200)


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
    is_foreign = bool(theirs) and theirs != ours
    return AnswersForm(
        data,
        columns=tuple(facts.columns),
        mapping=Options.of(run.options).mapping,
        rate=(theirs, ours) if is_foreign else None,
        known_rate=rates.rate(theirs, ours, timezone.now().date()) if is_foreign else None,
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


@require_POST
@require("inventory:import")
def import_left_out(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Read the lines once more that an import left out, now that their numbers may have a mapping."""
    run = importing.import_left_out(import_id=import_id, now=timezone.now())
    return redirect(request, reverse("inventory:import", args=[run.pk]))


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

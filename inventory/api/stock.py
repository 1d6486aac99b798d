"""Stock over HTTP: lots, many at once, files in and out, locations."""

import json
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from catalog import services as catalog
from catalog.errors import PhotosSwitchedOff
from catalog.services import Identified
from catalog.sources.base import ImageKind
from common import entitlements, images, workspace
from common.api.operations import operation
from common.api.pagination import CursorPagination
from common.api.views import ApiView
from common.error_responses import PROBLEM_TYPES
from common.errors import (
    Conflict,
    EditionRequired,
    Invalid,
    NotFound,
    ProviderRejected,
    ProviderUnavailable,
    StaleVersion,
)
from inventory import downloads, formats, services
from inventory.api.catalog import in_stock_rows
from inventory.api.images import image_address
from inventory.models import InventoryItem
from inventory.queries import imports
from inventory.queries.catalog import stock_of
from inventory.queries.filters import PARAMETERS, Filters, filtered, leaves_few
from inventory.queries.locations import LEVELS, location_with_contents, locations_matching, with_contents
from inventory.queries.lots import get_lot
from inventory.queries.rows import LotRow as StockRow
from inventory.queries.rows import Place, places_of, places_read, with_places
from inventory.serializers import (
    BulkAnswer,
    BulkInput,
    ExportQuery,
    IdentifyAnswer,
    ImageInput,
    ImportInput,
    ImportOut,
    LocationDeletion,
    LocationFields,
    LocationQuery,
    LocationRow,
    LotInput,
    LotPatch,
    LotQuery,
    LotRow,
    MovementRow,
)
from inventory.services import importing
from inventory.services.importing import Options

_COLUMNS = [name for name in map(str, LotRow().fields) if name != "locations"]
_EXAMPLE = {
    "item_type": "PART",
    "item_no": "3001",
    "color_id": 5,
    "condition": "NEW",
    "qty_available": 120,
    "unit_price": "0.1200",
    "remarks": "A-03-2",
}


# What not every lot has: those without come last, either way round.
_NOT_ALWAYS = frozenset({"cost_basis", "last_sold_at", "low_stock_threshold"})
_ORDERING = (
    "item_no", "color_name", "condition", "category_name", "qty_available", "qty_reserved", "unit_price", "cost_basis",
    "location_key", "date_added", "last_sold_at", "updated_at", "low_stock_threshold",
)  # fmt: skip


def _row(lot: InventoryItem, places: Iterable[Place]) -> dict[str, Any]:
    found = [{"location_id": place.location_id, "code": place.code, "qty": place.qty} for place in places]
    return {**{name: getattr(lot, name) for name in _COLUMNS}, "locations": found}


def _rows(lots: Sequence[InventoryItem]) -> list[dict[str, Any]]:
    return [_row(lot, places_read(lot)) for lot in lots]


def _one(lot: InventoryItem) -> dict[str, Any]:
    return _row(lot, places_of([lot.pk]).get(lot.pk, ()))


def _filters(values: dict[str, Any]) -> Filters:
    """Answer the filters of a query; Invalid for what they don't know, since a program would think that it got less."""
    query = QueryDict(mutable=True)
    for name, text in values.items():
        if name in PARAMETERS:
            query.setlist(name, text.split(",") if PARAMETERS[name].several else [text])
    found = Filters.parse(query)
    if found.unknown:
        raise Invalid(errors={f"/{term.name}": [f"“{term.raw[:60]}” isn't known here."] for term in found.unknown})
    return found


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    changes = dict(body)
    if "tier_prices" in changes:
        changes["tier_prices"] = [{"qty": step["qty"], "price": str(step["price"])} for step in changes["tier_prices"]]
    return changes


class LotsView(ApiView):
    """The stock, lot by lot."""

    access = {"GET": "inventory:read", "POST": "inventory:write"}

    @operation("List lots", answers=LotRow, query=LotQuery, ordering=_ORDERING)
    def get(self, _request: Request) -> HttpResponse:
        """Answer the lots that the filters leave."""
        filters, order = _filters(self.query_filters), self.query["ordering"]
        pages = CursorPagination(order, nulls_last=order.removeprefix("-") in _NOT_ALWAYS, sorts=leaves_few(filters))
        return self.page(with_places(filtered(filters).defer("extra")), as_rows=_rows, pages=pages)

    @operation("Add a lot", takes=LotInput, answers=LotRow, status=201, versioned=False, example=_EXAMPLE)
    def post(self, _request: Request) -> HttpResponse:
        """Make a lot with its pieces."""
        lot = _create(_changes(self.body))
        location = reverse("api:lot", args=[lot.pk], urlconf=self.request._request.urlconf)
        return self.answer(_one(lot), location=location, version=lot.version)


def _create(values: dict[str, Any]) -> InventoryItem:
    qty, location_id = values.pop("qty_available", 0), values.pop("location_id", None)
    values.pop("version", None)
    return services.create_lot(values=values, qty_available=qty, location_id=location_id, now=timezone.now())


class LotView(ApiView):
    """One lot."""

    access = {"GET": "inventory:read", "PATCH": "inventory:write", "DELETE": "inventory:delete"}

    @operation("Show a lot", answers=LotRow, versioned=True)
    def get(self, _request: Request, lot_id: UUID) -> HttpResponse:
        """Answer a lot, and its version as ETag."""
        lot = get_lot(lot_id)
        return self.answer(_one(lot), version=lot.version)

    @operation(
        "Change a lot", takes=LotPatch, answers=LotRow, versioned=True, errors=(StaleVersion,),
        example={"unit_price": "0.1500", "version": 3},
    )  # fmt: skip
    def patch(self, _request: Request, lot_id: UUID) -> HttpResponse:
        """Change fields of a lot; `qty_available` as a movement."""
        version = self.expected_version()
        lot = services.update_lot(
            lot_id=lot_id, changes=_changes(self.body), expected_version=version, now=timezone.now()
        )
        return self.answer(_one(lot), version=lot.version)

    @operation("Delete a lot", versioned=True, errors=(Conflict,))
    def delete(self, _request: Request, lot_id: UUID) -> HttpResponse:
        """Delete a lot of which nothing is promised to orders. Its movements stay."""
        services.delete_lots(lot_ids=[lot_id], expected_version=self.expected_version(), now=timezone.now())
        return self.answer()


class MovementsView(ApiView):
    """Why a lot has as many pieces as it has."""

    access = {"GET": "inventory:read"}

    @operation("List a lot's movements", answers=MovementRow, ordering=("-id",))
    def get(self, _request: Request, lot_id: UUID) -> HttpResponse:
        """Answer the ledger, newest first."""
        return self.page(get_lot(lot_id).movements.all())


class BulkView(ApiView):
    """Many lots at once."""

    access = {"POST": "inventory:write"}

    @operation(
        "Add, change and delete lots",
        takes=BulkInput,
        answers=BulkAnswer,
        errors=(Conflict, NotFound),
        description=(
            "Up to 1,000 deeds in one change set, which one Undo takes back. With `all_or_nothing` the first that "
            "can't be done is the answer, and nothing is; with `per_item` each is answered for itself. Deleting also "
            "needs `inventory:delete`."
        ),
        example={"mode": "per_item", "operations": [{"action": "create", "values": _EXAMPLE}]},
    )
    def post(self, _request: Request) -> HttpResponse:
        """Do what the operations say."""
        wishes = [_wish(operation) for operation in self.body["operations"]]
        stops = self.body["mode"] == "all_or_nothing"
        try:
            outcomes = services.change_lots(wishes=wishes, all_or_nothing=stops, now=timezone.now())
        except Invalid as problem:
            raise _of_operation(problem) from problem
        results = [_result(*pair) for pair in enumerate(zip(wishes, outcomes, strict=True))]
        failed = sum(outcome.problem is not None for outcome in outcomes)
        return self.answer({"done": len(results) - failed, "failed": failed, "results": results})


def _wish(operation: dict[str, Any]) -> services.Wish:
    values = _changes(operation.get("values") or {})
    version = values.pop("version", None)
    return services.Wish(
        action=services.Action(operation["action"]),
        lot_id=operation.get("id"),
        version=operation.get("version") or version,
        values=values,
    )


_DONE = {
    services.Action.CREATE: HTTPStatus.CREATED,
    services.Action.UPDATE: HTTPStatus.OK,
    services.Action.DELETE: HTTPStatus.NO_CONTENT,
}


def _result(index: int, pair: tuple[services.Wish, services.Outcome]) -> dict[str, Any]:
    wish, outcome = pair
    problem = outcome.problem
    status = problem.status_code if problem else _DONE[wish.action]
    answer: dict[str, Any] = {"index": index, "status": status, "id": outcome.lot_id, "version": outcome.version}
    if problem:
        told = {"type": f"{PROBLEM_TYPES}{problem.type}", "title": problem.title, "detail": problem.detail}
        answer["problem"] = {**told, **problem.extra}
    return answer


def _of_operation(problem: Invalid) -> Invalid:
    """Answer the problem of one operation as one of the whole body: its pointers lead there."""
    index = problem.extra.get("operation")
    own = ("/id", "/version")
    at = {name: f"/operations/{index}{'' if name in own else '/values'}{name}" for name in problem.errors}
    return Invalid(problem.detail, errors={at[name]: told for name, told in problem.errors.items()}, operation=index)


# --- Files ----------------------------------------------------------------------------------------------------------
class ImportView(ApiView):
    """A file of stock comes in."""

    access = {"POST": "inventory:import"}
    parser_classes = (MultiPartParser,)

    @operation(
        "Import a file",
        takes=ImportInput,
        answers=ImportOut,
        status=202,
        description=(
            "BrickStore BSX, BrickLink XML, CSV, Excel or JSON. A job reads it; with `dry_run=false` it is carried "
            "out as well. Wrong lines are left out and told of, and the whole can be taken back by reverting its "
            "change set."
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        """Take the file in, and answer the import with its job."""
        body = self.body
        upload = body["file"]
        run = importing.start_import(
            file=upload.file,
            file_name=upload.name,
            format_code=body.get("format", ""),
            options=Options(
                quantity=body["quantity"],
                fields=body["fields_policy"],
                create_new=body["create_new"],
                with_excluded=body["with_excluded"],
                read_locations=body["read_locations"],
                currency_rate=body.get("currency_rate"),
                mapping=_mapping(body.get("mapping", "")),
                apply_at_once=not body["dry_run"],
            ),
            may_ask=False,
            now=timezone.now(),
        )
        location = reverse("api:job", args=[run.read_job_id], urlconf=request._request.urlconf)
        return self.answer(_import_row(run), location=location)


def _mapping(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        mapping = json.loads(text)
    except ValueError as error:
        raise Invalid(errors={"/mapping": ["This is no JSON."]}) from error
    if not isinstance(mapping, dict) or not all(isinstance(name, str) for name in mapping.values()):
        raise Invalid(errors={"/mapping": ["Expected an object with a field for each column."]})
    return mapping


def _import_row(run: Any) -> dict[str, Any]:
    return {
        "id": run.pk,
        "job_id": run.apply_job_id or run.read_job_id,
        "status": run.status,
        "file_name": run.file_name,
        "format": run.format,
        "counts": run.counts,
        "url": workspace.current().url + reverse("inventory:import", settings.ROOT_URLCONF, [run.pk]),
    }


class ImportDetailView(ApiView):
    """One import."""

    access = {"GET": "inventory:import", "POST": "inventory:import"}

    @operation("Show an import", answers=ImportOut)
    def get(self, _request: Request, import_id: UUID) -> HttpResponse:
        """Answer where it stands, with the numbers of lines by outcome."""
        return self.answer(_import_row(imports.get_import(import_id)))

    @operation("Carry an import out", answers=ImportOut, status=202, errors=(Conflict,))
    def post(self, request: Request, import_id: UUID) -> HttpResponse:
        """Do what the preview says; a second time does nothing more."""
        run = importing.approve(import_id=import_id, now=timezone.now())
        location = reverse("api:job", args=[run.apply_job_id], urlconf=request._request.urlconf)
        return self.answer(_import_row(run), location=location)


_FILES = tuple(dict.fromkeys(each.spec.media_type for each in formats.all_formats() if each.spec.can_write))


class ExportView(ApiView):
    """Stock goes out as a file."""

    access = {"GET": "inventory:export"}

    @operation(
        "Export lots",
        query=ExportQuery,
        status=200,
        files=_FILES,
        description="Streams what the filters leave as a file of the format asked for, the lots in the order in which"
        " they were added.",
    )
    def get(self, _request: Request) -> HttpResponse:
        """Answer the file."""
        values = dict(self.query)
        found = formats.get(values.pop("format"))
        return cast("HttpResponse", downloads.as_file(_filters(values), file_format=found, now=timezone.now()))


# --- Locations ------------------------------------------------------------------------------------------------------
class LocationsView(ApiView):
    """The places of the storage."""

    access = {"GET": "inventory:read", "POST": "inventory:write"}

    @operation("List locations", answers=LocationRow, query=LocationQuery, ordering=("route_key", "code", "created_at"))
    def get(self, _request: Request) -> HttpResponse:
        """Answer the places that the filters leave, in walking order unless asked otherwise."""
        query = self.query
        found = locations_matching(text=query.get("search", ""), state=query.get("state", ""))
        found = found.filter(**{level: query[level] for level in LEVELS if level in query})
        return self.page(with_contents(found))

    @operation("Add a location", takes=LocationFields, answers=LocationRow, status=201, example={"code": "A-03-2"})
    def post(self, request: Request) -> HttpResponse:
        """Make a place."""
        location = location_with_contents(services.create_location(values=self.body).pk)
        address = reverse("api:location", args=[location.pk], urlconf=request._request.urlconf)
        return self.answer(location, location=address)


class LocationView(ApiView):
    """One place."""

    access = {"GET": "inventory:read", "PATCH": "inventory:write", "DELETE": "inventory:delete"}

    @operation("Show a location", answers=LocationRow)
    def get(self, _request: Request, location_id: UUID) -> HttpResponse:
        """Answer a place."""
        return self.answer(location_with_contents(location_id))

    @operation("Change a location", takes=LocationFields, answers=LocationRow, example={"capacity": 4})
    def patch(self, _request: Request, location_id: UUID) -> HttpResponse:
        """Change fields of a place."""
        services.update_location(location_id=location_id, changes=self.body)
        return self.answer(location_with_contents(location_id))

    @operation("Delete a location", query=LocationDeletion, errors=(Conflict,))
    def delete(self, _request: Request, location_id: UUID) -> HttpResponse:
        """Take a place away; one that is used needs `move_to`, where its contents go."""
        services.delete_location(location_id=location_id, move_to=self.query.get("move_to"), now=timezone.now())
        return self.answer()


# --- What is it? ----------------------------------------------------------------------------------------------------
class IdentifyView(ApiView):
    """What a photo shows."""

    access = {"POST": "inventory:read"}
    parser_classes = (MultiPartParser,)
    # Somebody outside is asked in between; the answer is kept by the photo's own hash.
    atomic_with_key = False

    @operation(
        "Identify a photo",
        takes=ImageInput,
        answers=IdentifyAnswer,
        errors=(EditionRequired, PhotosSwitchedOff, ProviderRejected, ProviderUnavailable),
        description=(
            "Brickognize is asked, at most ten seconds long; the same photo again within 90 days is answered at once. "
            "The photo goes there small, and without what the camera wrote into it."
        ),
    )
    def post(self, request: Request) -> HttpResponse:
        """Answer what it may show, best first, and what of it is in stock."""
        entitlements.require("visual_identification")
        image = self.body["image"].read(images.LIMIT_BYTES + 1)
        found = catalog.identify_image(image=image, kind=ImageKind(self.body["kind"]), now=timezone.now())
        stock = stock_of((each.item_type, each.item_no) for each in found.predictions)
        rows = [_prediction(request, each, stock.get((each.item_type, each.item_no), ())) for each in found.predictions]
        return self.answer({"predictions": rows, "top_match": rows[0] if found.top_match else None})


def _prediction(request: Request, each: Identified, lots: Iterable[StockRow]) -> dict[str, Any]:
    return {
        "item_type": each.item_type,
        "item_no": each.item_no,
        "name": each.name,
        "confidence": float(each.confidence),
        "image_url": image_address(request, each.item_type, each.item_no),
        "platform_ids": each.platform_ids,
        "in_stock": in_stock_rows(lots),
    }


class SearchImageView(IdentifyView):
    """What a photo shows, asked where one searches."""


api_urlpatterns = [
    path("inventory", LotsView.as_view(), name="lots"),
    path("inventory/bulk", BulkView.as_view(), name="lots-bulk"),
    path("inventory/import", ImportView.as_view(), name="inventory-import"),
    path("inventory/imports/<uuid:import_id>", ImportDetailView.as_view(), name="inventory-import-detail"),
    path("inventory/export", ExportView.as_view(), name="inventory-export"),
    path("inventory/identify", IdentifyView.as_view(), name="inventory-identify"),
    path("search/image", SearchImageView.as_view(), name="search-image"),
    path("inventory/<uuid:lot_id>", LotView.as_view(), name="lot"),
    path("inventory/<uuid:lot_id>/movements", MovementsView.as_view(), name="lot-movements"),
    path("locations", LocationsView.as_view(), name="locations"),
    path("locations/<uuid:location_id>", LocationView.as_view(), name="location"),
]

"""Orders over HTTP."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from common.api.operations import operation
from common.api.pagination import CursorPagination
from common.api.views import ApiView
from common.errors import Conflict, IllegalTransition, Invalid, PermissionDenied, StaleVersion
from orders import lifecycle, services
from orders.lifecycle import Status
from orders.queries import history
from orders.queries.filters import PARAMETERS, Filters, filtered
from orders.queries.orders import get_order
from orders.serializers import (
    CancelInput,
    HistoryRow,
    LineOut,
    OrderInput,
    OrderOut,
    OrderPatch,
    OrderQuery,
    RefundInput,
    RefundOut,
    StatusInput,
)
from orders.services import NewLine, NewOrder

_ORDERING = ("-ordered_at", "number", "grand_total", "status_changed_at", "ship_by")
_EXAMPLE = {
    "lines": [{"inventory_item": "01900000-0000-7000-8000-000000000000", "qty": 4}],
    "buyer_name": "Ana Silva",
    "ship_to": {"name": "Ana Silva", "address1": "Rua Nova 4", "postal": "1100-001", "city": "Lisboa", "country": "PT"},
    "shipping_cost": "4.50",
    "is_paid": True,
}


def _filters(values: dict[str, Any]) -> Filters:
    """Answer the filters of a query; Invalid for what they don't know, since a program would think that it got less."""
    query = QueryDict(mutable=True)
    for name, text in values.items():
        query.setlist(name, text.split(",") if PARAMETERS[name].several else [text])
    found = Filters.parse(query)
    if found.unknown:
        raise Invalid(errors={f"/{term.name}": [f"“{term.raw[:60]}” isn't known here."] for term in found.unknown})
    return found


class OrdersView(ApiView):
    """The orders of all channels."""

    access = {"GET": "orders:read", "POST": "orders:write"}

    @operation("List orders", answers=OrderOut, query=OrderQuery, ordering=_ORDERING)
    def get(self, _request: Request) -> HttpResponse:
        """Answer the orders that the filters leave."""
        order = self.query["ordering"]
        pages = CursorPagination(order, nulls_last=order.removeprefix("-") == "ship_by")
        return self.page(filtered(_filters(self.query_filters)), pages=pages)

    @operation(
        "Add an order", takes=OrderInput, answers=OrderOut, status=201, versioned=False, example=_EXAMPLE,
        description="An order of the shop's own counter. Its pieces are reserved at once; what isn't there is short.",
    )  # fmt: skip
    def post(self, _request: Request) -> HttpResponse:
        """Make an order."""
        body = dict(self.body)
        lines = [
            NewLine(lot_id=line["inventory_item"], qty=line["qty"], unit_price=line.get("unit_price"))
            for line in body.pop("lines")
        ]
        new = NewOrder(lines=lines, is_paid=body.pop("is_paid", False), values=body)
        order = services.create_order(new=new, now=timezone.now())
        location = reverse("api:order", args=[order.pk], urlconf=self.request._request.urlconf)
        return self.answer(order, location=location, version=order.version)


class OrderView(ApiView):
    """One order."""

    access = {"GET": "orders:read", "PATCH": "orders:write"}

    @operation("Show an order", answers=OrderOut, versioned=True)
    def get(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Answer an order, and its version as ETag."""
        order = get_order(order_id)
        return self.answer(order, version=order.version)

    @operation(
        "Change an order", takes=OrderPatch, answers=OrderOut, versioned=True, errors=(StaleVersion, Conflict),
        example={"tags": ["gift"], "version": 3},
    )  # fmt: skip
    def patch(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Change address, shipping method, tracking, notes, tags and flags; address and method until it has left."""
        version = self.expected_version()
        order = services.update_order(
            order_id=order_id, changes=self.body, expected_version=version, now=timezone.now()
        )
        return self.answer(order, version=order.version)


class StatusView(ApiView):
    """Where an order stands."""

    access = {"POST": "orders:status_update"}

    @operation(
        "Move an order", takes=StatusInput, answers=OrderOut, errors=(IllegalTransition, StaleVersion),
        example={"status": "SHIPPED"},
        description=(
            "Where it is already is no error. A step that isn't open is 409 with the `allowed` ones. Orders in one "
            "parcel are shipped together."
        ),
    )  # fmt: skip
    def post(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Take the step."""
        status = Status(self.body["status"])
        if status in lifecycle.ENDS:
            permission = "orders:cancel" if status is Status.CANCELLED else "orders:refund"
            raise PermissionDenied(f"Use /orders/{{id}}/{permission.partition(':')[2]}.", permission=permission)
        order = services.change_status(
            order_id=order_id, status=status, reason=self.body.get("reason", ""), now=timezone.now(),
            expected_version=self.body.get("version"),
        )  # fmt: skip
        return self.answer(order, version=order.version)


class CancelView(ApiView):
    """An order ends before it ships."""

    access = {"POST": "orders:cancel"}

    @operation("Cancel an order", takes=CancelInput, answers=OrderOut, errors=(IllegalTransition, StaleVersion))
    def post(self, _request: Request, order_id: UUID) -> HttpResponse:
        """End it; its pieces are for sale again."""
        order = services.cancel_order(
            order_id=order_id, reason=self.body.get("reason", ""), now=timezone.now(),
            expected_version=self.body.get("version"),
        )  # fmt: skip
        return self.answer(order, version=order.version)


class RefundView(ApiView):
    """Money goes back."""

    access = {"POST": "orders:refund"}

    @operation(
        "Record a refund", takes=RefundInput, answers=RefundOut, status=201, errors=(Conflict, StaleVersion),
        example={"amount": "1.20", "reason": "Two pieces were broken"},
    )  # fmt: skip
    def post(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Record it, and what becomes of the pieces."""
        body = self.body
        refund = services.refund_order(
            order_id=order_id, amount=body.get("amount"), reason=body.get("reason", ""),
            pieces=[(line["line_id"], line["qty"]) for line in body.get("lines", ())],
            restock=body.get("restock", False), now=timezone.now(), expected_version=body.get("version"),
        )  # fmt: skip
        return self.answer(refund)


class LinesView(ApiView):
    """What an order is of."""

    access = {"GET": "orders:read"}

    @operation("List an order's lines", answers=LineOut, ordering=("position",))
    def get(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Answer the lines, those that were taken out with no pieces."""
        return self.page(get_order(order_id).lines.all())


class HistoryView(ApiView):
    """What happened to an order."""

    access = {"GET": "orders:read"}

    @operation("List an order's history", answers=HistoryRow, ordering=("-history_id",))
    def get(self, _request: Request, order_id: UUID) -> HttpResponse:
        """Answer each version of the order with the deed that made it."""
        get_order(order_id)
        return self.page(history.versions_of(order_id), as_rows=_history_rows)


def _history_rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return history.rows_of(rows)


api_urlpatterns = [
    path("orders", OrdersView.as_view(), name="orders"),
    path("orders/<uuid:order_id>", OrderView.as_view(), name="order"),
    path("orders/<uuid:order_id>/status", StatusView.as_view(), name="order-status"),
    path("orders/<uuid:order_id>/cancel", CancelView.as_view(), name="order-cancel"),
    path("orders/<uuid:order_id>/refund", RefundView.as_view(), name="order-refund"),
    path("orders/<uuid:order_id>/lines", LinesView.as_view(), name="order-lines"),
    path("orders/<uuid:order_id>/history", HistoryView.as_view(), name="order-history"),
]

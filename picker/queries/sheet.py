"""The stops of a session as its page and its paper list them, and its orders with how far each is."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Sum

from inventory.choices import Completeness, ItemCondition
from inventory.queries.rows import ColorLook, look_of
from orders.models import OrderLine
from orders.queries.orders import flag_labels, order_url
from picker.models import PickNeed, PickSession, PickSessionOrder, PickStop


# --- Stops ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class NeedRow:
    """So many pieces for one order."""

    id: UUID
    line_id: UUID
    order_id: UUID
    code: str
    qty: int
    picked: int
    missing: int

    @property
    def left(self) -> int:
        """Answer how many pieces are still to be picked."""
        return self.qty - self.picked - self.missing


@dataclass(frozen=True, slots=True)
class StopRow:
    """A lot at a place, and what each order gets of it there."""

    id: UUID
    position: int
    lot_id: UUID
    location_id: UUID | None
    place: str
    item_type: str
    item_no: str
    item_name: str
    picture_no: str
    color_id: int | None
    color: ColorLook
    condition: str
    picker: str
    needs: tuple[NeedRow, ...]

    @property
    def qty(self) -> int:
        """Answer how many pieces are taken there."""
        return sum(need.qty for need in self.needs)

    @property
    def picked(self) -> int:
        """Answer how many pieces were found."""
        return sum(need.picked for need in self.needs)

    @property
    def missing(self) -> int:
        """Answer how many pieces weren't there."""
        return sum(need.missing for need in self.needs)

    @property
    def left(self) -> int:
        """Answer how many pieces are still to be picked."""
        return self.qty - self.picked - self.missing

    @property
    def status(self) -> str:
        """Answer how far it is, in the words of order lines."""
        if self.left:
            return "PARTIAL" if self.picked or self.missing else "PENDING"
        return "PICKED" if not self.missing else "PARTIAL" if self.picked else "MISSING"

    @property
    def name(self) -> str:
        """Answer what people call it: `3001 · Red · New`."""
        return " · ".join(part for part in (self.item_no or self.item_name, self.color.name, self.condition) if part)


def stops_of(session: PickSession) -> list[StopRow]:
    """Answer the stops of a session in walking order. Four queries."""
    codes = dict(PickSessionOrder.objects.filter(session=session).values_list("order_id", "batch_code"))
    needs: dict[UUID, list[PickNeed]] = defaultdict(list)
    for need in PickNeed.objects.filter(stop__session=session).select_related("order_line"):
        needs[need.stop_id].append(need)
    stops = [stop for stop in PickStop.objects.filter(session=session).order_by("position", "pk") if stop.pk in needs]
    names = _names({stop.picker_id for stop in stops if stop.picker_id})
    return [_stop(stop, needs[stop.pk], codes, names.get(stop.picker_id, "")) for stop in stops]


def _names(user_ids: Collection[Any]) -> dict[Any, str]:
    users = get_user_model().objects.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk: str(user) for user in users}


def _stop(stop: PickStop, needs: list[PickNeed], codes: dict[UUID, str], picker: str) -> StopRow:
    line = needs[0].order_line
    return StopRow(
        id=stop.pk, position=stop.position, lot_id=stop.inventory_item_id, location_id=stop.location_id,
        place=stop.location_code, item_type=line.item_type, item_no=line.item_no or line.external_item_no,
        item_name=line.item_name, picture_no=line.item_no, color_id=line.color_id,
        color=look_of(line.color_id, line.color_name), condition=condition_of(line), picker=picker,
        needs=tuple(sorted((_need(need, codes) for need in needs), key=lambda row: (len(row.code), row.code))),
    )  # fmt: skip


def _need(need: PickNeed, codes: dict[UUID, str]) -> NeedRow:
    order = need.order_line.order_id
    return NeedRow(
        need.pk, need.order_line_id, order, codes.get(order, "–"), need.qty, need.qty_picked, need.qty_missing
    )


def condition_of(line: OrderLine) -> str:
    """Answer in which condition a line wants its pieces, in words."""
    condition = str(ItemCondition(line.condition).label)
    if not line.completeness:
        return condition
    return f"{condition}, {str(Completeness(line.completeness).label).lower()}"


# --- Orders ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class EntryRow:
    """An order of a session, and how far it is."""

    order_id: UUID
    code: str
    number: str
    store: str
    buyer: str
    country: str
    status: str
    flags: tuple[str, ...]
    is_in: bool
    # Why it isn't in it any more.
    leaving: str
    leaving_label: str
    pieces: int
    picked: int
    missing: int

    @property
    def url(self) -> str:
        """Answer the order's page."""
        return order_url(self.order_id)

    @property
    def done(self) -> int:
        """Answer how many pieces are settled."""
        return self.picked + self.missing


def entries_of(session: PickSession) -> list[EntryRow]:
    """Answer the orders of a session in the order of their codes. Two queries."""
    sums: dict[UUID, Mapping[str, Any]] = {
        row["order_line__order"]: row
        for row in PickNeed.objects.filter(stop__session=session)
        .order_by()
        .values("order_line__order")
        .annotate(pieces=Sum("qty"), picked=Sum("qty_picked"), missing=Sum("qty_missing"))
    }
    entries = PickSessionOrder.objects.filter(session=session).select_related("order", "order__store")
    return [_entry(entry, sums.get(entry.order_id, {})) for entry in entries.order_by("sort_order")]


def _entry(entry: PickSessionOrder, sums: Mapping[str, Any]) -> EntryRow:
    order = entry.order
    return EntryRow(
        order_id=order.pk, code=entry.batch_code, number=order.external_order_id, store=order.store.name,
        buyer=order.buyer_name or order.buyer_username, country=order.ship_country, status=order.status,
        flags=flag_labels(order.flags), is_in=entry.left_at is None, leaving=entry.leaving,
        leaving_label=entry.get_leaving_display(), pieces=sums.get("pieces", 0), picked=sums.get("picked", 0),
        missing=sums.get("missing", 0),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderInSession:
    """A session that an order is or was in, and how far it got there."""

    session_id: UUID
    number: int
    status: str
    code: str
    leaving_label: str
    pieces: int
    picked: int
    missing: int

    @property
    def done(self) -> int:
        """Answer how many pieces are settled."""
        return self.picked + self.missing


def sessions_of_order(order_id: UUID) -> list[OrderInSession]:
    """Answer the sessions of an order, the newest first. Two queries."""
    sums: dict[UUID, Mapping[str, Any]] = {
        row["stop__session"]: row
        for row in PickNeed.objects.filter(order_line__order=order_id)
        .order_by()
        .values("stop__session")
        .annotate(pieces=Sum("qty"), picked=Sum("qty_picked"), missing=Sum("qty_missing"))
    }
    entries = PickSessionOrder.objects.filter(order=order_id).select_related("session").order_by("-session__number")
    return [
        OrderInSession(
            entry.session_id, entry.session.number, entry.session.status, entry.batch_code, entry.get_leaving_display(),
            **{name: sums.get(entry.session_id, {}).get(name, 0) for name in ("pieces", "picked", "missing")},
        )
        for entry in entries
    ]  # fmt: skip

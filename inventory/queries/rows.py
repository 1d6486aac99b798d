"""Lots as lists and pages show them: what each is called, how its color looks, and where its pieces lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone

from catalog import colors
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.queries.pricing import SoldFor, sold_read
from inventory.tiers import as_text


@dataclass(frozen=True, slots=True)
class ColorLook:
    """How a color is drawn: without RGB only by its name."""

    name: str
    rgb: str = ""
    kind: str = "solid"


_KINDS = {"transparent": "transparent", "chrome": "chrome", "pearl": "pearl", "metallic": "metallic",
          "glitter": "glitter", "speckle": "glitter", "satin": "transparent"}  # fmt: skip


def look_of(color_id: int | None, name: str = "") -> ColorLook:
    """Answer how a lot's color is drawn; (Not Applicable) and no color have only their name."""
    color = colors.get(color_id)
    if color is None:
        return ColorLook(name)
    return ColorLook(name or color.name, color.rgb, _KINDS.get(color.color_type.lower(), "solid"))


@dataclass(frozen=True, slots=True)
class Place:
    """So many pieces of a lot lie there."""

    location_id: UUID
    code: str
    qty: int


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as lists and its page show it."""

    id: UUID
    version: int
    item_type: str
    type_label: str
    item_no: str
    item_name: str
    category_name: str
    color_id: int | None
    color: ColorLook
    condition: str
    condition_label: str
    completeness_label: str
    grade_label: str
    qty_available: int
    qty_reserved: int
    unit_price: Decimal
    currency: str
    cost_basis: Decimal | None
    sale_percent: int
    bulk: int
    tiers: str
    description: str
    remarks: str
    is_retain: bool
    stock_room: str
    weight_grams: Decimal | None
    low_stock_threshold: int | None
    is_locked: bool
    reserved_for: str
    date_added: datetime
    last_sold_at: datetime | None
    updated_at: datetime
    places: tuple[Place, ...]
    # Only where the list was asked for it.
    sold: SoldFor | None = None

    @property
    def url(self) -> str:
        """Answer the lot's page."""
        return lot_url(self.id)

    @property
    def name(self) -> str:
        """Answer what people call the lot: `3001 · Red · New`."""
        return " · ".join(part for part in (self.item_no, self.color.name, self.condition_label) if part)

    @property
    def qty_on_hand(self) -> int:
        """Answer how many pieces are in the house."""
        return self.qty_available + self.qty_reserved

    @property
    def qty_placed(self) -> int:
        """Answer how many of them lie somewhere."""
        return sum(place.qty for place in self.places)

    @property
    def qty_unplaced(self) -> int:
        """Answer how many of them lie nowhere."""
        return max(0, self.qty_on_hand - self.qty_placed)

    @property
    def is_low(self) -> bool:
        """Tell whether fewer are for sale than should be."""
        return self.low_stock_threshold is not None and self.qty_available < self.low_stock_threshold

    @property
    def value(self) -> Decimal:
        """Answer what the pieces for sale are worth at list price."""
        return self.qty_available * self.unit_price

    @property
    def margin(self) -> Decimal | None:
        """Answer what share of the price is earned, in percent."""
        if self.cost_basis is None or not self.unit_price:
            return None
        return (self.unit_price - self.cost_basis) / self.unit_price * 100

    @property
    def place(self) -> Place | None:
        """Answer where the walk finds the lot first."""
        return self.places[0] if self.places else None

    @property
    def more_places(self) -> int:
        """Answer at how many other places it lies too."""
        return len(self.places) - 1


def lot_url(lot_id: UUID) -> str:
    """Answer a lot's page."""
    return reverse("inventory:lot", args=[lot_id])


def is_locked(lot: InventoryItem, *, now: datetime) -> bool:
    """Tell whether rules and bulk edits leave the price alone."""
    return lot.price_locked and (lot.price_lock_expires_at is None or lot.price_lock_expires_at > now)


def row_of(lot: InventoryItem, places: Iterable[Place] = (), *, now: datetime | None = None) -> LotRow:
    """Answer the lot as it is shown."""
    now = now or timezone.now()
    return LotRow(
        id=lot.pk,
        version=lot.version,
        item_type=lot.item_type,
        type_label=lot.get_item_type_display(),
        item_no=lot.item_no,
        item_name=lot.item_name,
        category_name=lot.category_name,
        color_id=lot.color_id,
        color=look_of(lot.color_id, lot.color_name),
        condition=lot.condition,
        condition_label=lot.get_condition_display(),
        completeness_label=lot.get_completeness_display() if lot.completeness else "",
        grade_label=lot.get_sub_condition_display() if lot.sub_condition else "",
        qty_available=lot.qty_available,
        qty_reserved=lot.qty_reserved,
        unit_price=lot.unit_price,
        currency=lot.currency,
        cost_basis=lot.cost_basis,
        sale_percent=lot.sale_percent,
        bulk=lot.bulk,
        tiers=as_text(lot.tier_prices),
        description=lot.description,
        remarks=lot.remarks,
        is_retain=lot.is_retain,
        stock_room=lot.stock_room_id,
        weight_grams=lot.weight_grams,
        low_stock_threshold=lot.low_stock_threshold,
        is_locked=is_locked(lot, now=now),
        reserved_for=lot.reserved_for,
        date_added=lot.date_added,
        last_sold_at=lot.last_sold_at,
        updated_at=lot.updated_at,
        places=tuple(places),
        sold=sold_read(lot, now=now),
    )


def places_of(lot_ids: Iterable[UUID]) -> dict[UUID, list[Place]]:
    """Answer where the lots lie, in walking order. One query."""
    rows = (
        InventoryItemLocation.objects.filter(inventory_item__in=list(lot_ids), qty__gt=0)
        .order_by("location__route_key", "location_id")
        .values_list("inventory_item_id", "location_id", "location__code", "qty")
    )
    found: dict[UUID, list[Place]] = {}
    for lot_id, location_id, code, qty in rows:
        found.setdefault(lot_id, []).append(Place(location_id, code, qty))
    return found


def rows_of(lots: Iterable[InventoryItem]) -> list[LotRow]:
    """Answer the lots as they are shown, with where they lie. One query more."""
    found = list(lots)
    places = places_of([lot.pk for lot in found]) if found else {}
    now = timezone.now()
    return [row_of(lot, places.get(lot.pk, ()), now=now) for lot in found]


def with_places(lots: "QuerySet[InventoryItem]") -> "QuerySet[InventoryItem]":
    """Answer the lots with where they lie, in walking order, in the same query."""
    places = InventoryItemLocation.objects.filter(inventory_item=OuterRef("pk"), qty__gt=0)
    ordered = places.order_by("location__route_key", "location_id")
    found = ordered.values(place=JSONObject(id="location_id", code="location__code", qty="qty"))
    return lots.annotate(found_places=ArraySubquery(found))


def places_read(lot: InventoryItem) -> Iterable[Place]:
    """Answer where a lot of `with_places` lies."""
    read: list[dict[str, Any]] = getattr(lot, "found_places", [])
    return (Place(UUID(place["id"]), place["code"], place["qty"]) for place in read)

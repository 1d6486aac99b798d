"""What taking a set apart would do to this shop's stock, before anything happens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection

from catalog import colors
from catalog.models import CatalogItem
from catalog.queries.sets import Content, contents_of, set_numbered
from common.errors import NotFound
from common.ids import new_id
from inventory.choices import NEEDS_COLOR, ItemType
from inventory.lookalikes import Thing
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.part_out import Choices, Owned, Piece, Plan, Row, plan, together
from inventory.queries.placing import storage_for

FIGURES_WHOLE, FIGURES_PARTS, FIGURES_NONE = "whole", "parts", "none"

_LOTS = InventoryItem._meta.db_table
# The lot that gets the pieces is the first of its kind.
_OWNED = f"""
SELECT w.key, count(*), sum(t.qty_available), (array_agg(t.unit_price ORDER BY t.id))[1],
    (array_agg(t.id ORDER BY t.id))[1]
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[]) w (key, item_type, item_no, color_id)
JOIN {_LOTS} t ON t.item_type = w.item_type AND t.item_no = w.item_no
    AND t.color_id IS NOT DISTINCT FROM w.color_id AND t.condition = %s AND t.completeness IS NULL
GROUP BY w.key
"""  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class PartOut:
    """A set, and what becomes of it."""

    item: CatalogItem
    plan: Plan


def part_out_of(set_no: str, *, choices: Choices, figures: str, with_places: bool) -> PartOut:
    """Answer what becomes of a set of that number. Raises NotFound where the catalog doesn't know what is in it.

    `figures`: as they are, as their parts, or not at all; those whose BrickLink number nobody knows come as parts.
    """
    item = set_numbered(set_no)
    contents = contents_of([item.pk])[item.pk] if item else []
    if item is None or not contents:
        raise NotFound(
            f"The catalog knows no set {set_no.strip()}." if item is None else "The catalog doesn't know what is in it."
        )
    wanted = [content for content in contents if choices.with_spares or not content.is_spare]
    pieces, unknown = _pieces(_with_figures(wanted, figures))
    made = together(pieces, times=choices.times)
    owned, lots = _owned(made, choices.condition)
    found = plan(made, unknown=together(unknown, times=choices.times), owned=owned, choices=choices)
    if with_places:
        found = replace(found, rows=_placed(found.rows, lots, choices.condition))
    return PartOut(item, found)


def _with_figures(contents: Sequence[Content], figures: str) -> list[Content]:
    """Answer the contents with figures as somebody wishes them. One query."""
    found = [content for content in contents if content.item_type != ItemType.MINIFIG]
    whole = [content for content in contents if content.item_type == ItemType.MINIFIG]
    if figures == FIGURES_NONE or not whole:
        return found
    taken_apart = [one for one in whole if one.is_provisional or figures == FIGURES_PARTS]
    parts = contents_of([one.item_id for one in taken_apart])
    for one in whole:
        inside = parts.get(one.item_id)
        if inside:
            found += [replace(part, qty=part.qty * one.qty) for part in inside]
        else:
            found.append(one)
    return found


def _pieces(contents: Sequence[Content]) -> tuple[list[Piece], list[Piece]]:
    """Answer what can be lots, and what can't: without BrickLink's number, or a part without a color."""
    known: list[Piece] = []
    unknown: list[Piece] = []
    for content in contents:
        piece = Piece(
            item_type=content.item_type,
            item_no=content.item_no,
            name=content.name,
            category=content.category,
            color_id=content.color_id,
            qty=content.qty,
            weight_grams=content.weight_grams,
        )
        is_known = not content.is_provisional and (content.item_type not in NEEDS_COLOR or content.color_id is not None)
        (known if is_known else unknown).append(piece)
    return known, unknown


def _owned(pieces: Sequence[Piece], condition: str) -> tuple[dict[str, Owned], dict[str, UUID]]:
    """Answer what of the pieces is there already, and which lot gets more, by their keys. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OWNED,
            [
                [piece.key for piece in pieces],
                [piece.item_type for piece in pieces],
                [piece.item_no for piece in pieces],
                [piece.color_id for piece in pieces],
                condition,
            ],
        )
        rows = cursor.fetchall()
    owned = {key: Owned(lots, int(count), price) for key, lots, count, price, _ in rows}
    return owned, {key: lot for key, _, _, _, lot in rows}


def _placed(rows: Sequence[Row], lots: dict[str, UUID], condition: str) -> tuple[Row, ...]:
    """Answer the rows with where each is best put, counting on those before it. Three queries."""
    things = {row.piece.key: _thing(row.piece, condition) for row in rows if not row.is_left_out}
    storage = storage_for(things.values())
    own = _places_of(list(lots.values()))
    found = []
    for row in rows:
        thing = things.get(row.piece.key)
        lot_id = lots.get(row.piece.key) or new_id()
        suggestion = storage.suggest(lot_id, thing, own.get(lot_id, {})) if thing else None
        if thing and suggestion:
            storage.put(suggestion.place, lot_id, thing)
            row = replace(row, place=suggestion.place.code, why_there=suggestion.reason)  # noqa: PLW2901  # the same row, placed
        found.append(row)
    return tuple(found)


def _thing(piece: Piece, condition: str) -> Thing:
    color = colors.get(piece.color_id)
    return Thing(piece.item_type, piece.item_no, piece.color_id, color.name if color else "", condition)


def _places_of(lot_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    found: dict[UUID, dict[UUID, int]] = {}
    rows = InventoryItemLocation.objects.filter(inventory_item__in=lot_ids, qty__gt=0)
    for lot_id, place_id, qty in rows.values_list("inventory_item", "location", "qty"):
        found.setdefault(lot_id, {})[place_id] = qty
    return found

"""What taking a set apart would do to this shop's stock, before anything happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from catalog import colors
from catalog.choices import NEEDS_COLOR, ItemType
from catalog.models import CatalogItem
from catalog.queries.items import REGULAR, SPARE, Content, contents_of, set_numbered
from catalog.queries.pricing import PriceKey
from common.errors import NotFound
from common.ids import new_id
from inventory.lookalikes import Thing
from inventory.models import InventoryItem
from inventory.part_out import Choices, Owned, Piece, Plan, Row, completeness_of, plan, together
from inventory.queries.placing import placed_of, storage_for
from inventory.queries.pricing import as_guide, guides_of
from inventory.repricing import Guide

_PIECES = (REGULAR, SPARE)
FIGURES_WHOLE, FIGURES_PARTS, FIGURES_NONE = "whole", "parts", "none"

_LOTS = InventoryItem._meta.db_table
# The lot that gets the pieces is the one that the import will take: without remarks and grade, if there is such a one.
_ORDER = "t.remarks = '' DESC, t.remarks = '' AND t.sub_condition IS NULL DESC, t.id"
_OWNED = f"""
SELECT w.key, count(*), sum(t.qty_available), (array_agg(t.unit_price ORDER BY {_ORDER}))[1],
    (array_agg(t.id ORDER BY {_ORDER}))[1], (array_agg(t.cost_basis ORDER BY {_ORDER}))[1]
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::text[]) w
    (key, item_type, item_no, color_id, completeness)
JOIN {_LOTS} t ON t.item_type = w.item_type AND t.item_no = w.item_no
    AND t.color_id IS NOT DISTINCT FROM w.color_id AND t.condition = %s
    AND t.completeness IS NOT DISTINCT FROM w.completeness
GROUP BY w.key
"""  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class PartOut:
    """A set, and what becomes of it. `keys`: by which the price guide has what is in it."""

    item: CatalogItem
    plan: Plan
    keys: tuple[PriceKey, ...] = ()


def part_out_of(set_no: str, *, choices: Choices, figures: str, with_places: bool, now: datetime) -> PartOut:
    """Answer what becomes of a set of that number. Raises NotFound where the catalog doesn't know what is in it.

    `figures`: as they are, as their parts, or not at all; those whose BrickLink number nobody knows come as parts.
    """
    item = set_numbered(set_no)
    contents = contents_of([item.pk]).get(item.pk, []) if item else []
    if item is None or not contents:
        raise NotFound(
            f"The catalog knows no set {set_no.strip()}. Look at its number again."
            if item is None
            else f"The catalog doesn't know what is in {item.item_no}. Import its parts from a file instead."
        )
    # What may be there instead of something else, and what is counted already, are no pieces more.
    kinds = _PIECES if choices.with_spares else (REGULAR,)
    wanted = [content for content in contents if content.kind in kinds]
    pieces, unknown = _pieces(_with_figures(wanted, figures))
    made = together(pieces, times=choices.times)
    owned, lots = _owned(made, choices.condition)
    keys = {piece.key: PriceKey(piece.item_type, piece.item_no, piece.color_id, choices.condition) for piece in made}
    guides = _guides(keys, now=now)
    found = plan(made, unknown=together(unknown, times=choices.times), owned=owned, choices=choices, guides=guides)
    if with_places:
        found = replace(found, rows=_placed(found.rows, lots, choices.condition))
    return PartOut(item, found, tuple(keys.values()))


def _guides(keys: Mapping[str, PriceKey], *, now: datetime) -> dict[str, Guide]:
    """Answer what the pieces go for, by their keys. One query."""
    kept = guides_of(keys.values())
    return {name: as_guide(kept.get(key), now=now) for name, key in keys.items()}


def _with_figures(contents: Sequence[Content], figures: str) -> list[tuple[Content, int]]:
    """Answer the contents with figures as somebody wishes them, and how many of each there are. One query."""
    found = [(content, content.line.qty) for content in contents if content.line.item_type != ItemType.MINIFIG]
    whole = [content for content in contents if content.line.item_type == ItemType.MINIFIG]
    if figures == FIGURES_NONE or not whole:
        return found
    parts = contents_of(one.item_id for one in whole if one.is_provisional or figures == FIGURES_PARTS)
    for one in whole:
        inside = [part for part in parts.get(one.item_id, ()) if part.kind in _PIECES]
        found += [(part, part.line.qty * one.line.qty) for part in inside] or [(one, one.line.qty)]
    return found


def _pieces(contents: Sequence[tuple[Content, int]]) -> tuple[list[Piece], list[Piece]]:
    """Answer what can be lots, and what can't: without BrickLink's number, or a part without a color."""
    known: list[Piece] = []
    unknown: list[Piece] = []
    for content, qty in contents:
        line = content.line
        color_id = line.color.id if line.color else None
        piece = Piece(line.item_type, line.item_no, line.name, content.category, color_id, qty)
        is_known = not content.is_provisional and (line.item_type not in NEEDS_COLOR or color_id is not None)
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
                [completeness_of(piece, condition) for piece in pieces],
                condition,
            ],
        )
        rows = cursor.fetchall()
    owned = {key: Owned(lots, int(count), price, cost) for key, lots, count, price, _, cost in rows}
    return owned, {key: lot for key, _, _, _, lot, _ in rows}


def _placed(rows: Sequence[Row], lots: dict[str, UUID], condition: str) -> tuple[Row, ...]:
    """Answer the rows with where each is best put, counting on those before it. Three queries."""
    things = {row.piece.key: _thing(row.piece, condition) for row in rows if not row.is_left_out}
    storage = storage_for(things.values())
    own = placed_of(lots.values())
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

"""The catalog's pages: what a search finds, and an item with its numbers, colors, sets, and the shop's own lots."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from catalog import colors
from catalog.choices import ItemType
from catalog.models import CatalogItem
from catalog.queries import items as catalog
from catalog.queries.items import Content, ItemLine
from catalog.queries.search import Hit
from common.access import require
from common.errors import BadRequest, NotFound
from common.htmx import render
from common.http import HttpRequest
from inventory.queries import catalog as queries
from inventory.queries.demand import wanted, wanted_of
from inventory.queries.holdings import ColorRow, Holding, color_rows, held, holdings_of
from inventory.queries.rows import ColorLook, look_of
from inventory.views.parts import page_of, start_of
from inventory.views.state import list_url

MAX_QUERY = 100
_SHOWN, _SWATCHES, _LINES = 40, 12, 100
_MAX_DIGITS = 5
_CONTAINERS = (ItemType.SET, ItemType.MINIFIG)


def item_url(item_type: str, item_no: str, color_id: int | None = None) -> str:
    """Answer an item's page, where a color that was meant is marked."""
    url = reverse("catalog:item", args=[item_type, item_no])
    return url if color_id is None else f"{url}?color={color_id}"


def search_url(text: str) -> str:
    """Answer the page of everything that a text finds."""
    return f"{reverse('catalog:search')}?{urlencode({'q': text})}"


# --- Search ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ResultRow:
    """An item that was found, as lists show it: its colors, and what is there of it in the color that was meant."""

    hit: Hit
    look: ColorLook
    looks: tuple[ColorLook, ...]
    colors_count: int
    holding: Holding
    # Pieces in open orders.
    wanted: int

    @property
    def url(self) -> str:
        """Answer the item's page."""
        return item_url(self.hit.item_type, self.hit.item_no, self.hit.color_id)

    @property
    def more_colors(self) -> int:
        """Answer how many colors there are beside those that are shown."""
        return self.colors_count - len(self.looks)

    @property
    def has_reason(self) -> bool:
        """Tell whether there is something to say of how it was found, or of what it is."""
        hit = self.hit
        is_other = hit.item_type != ItemType.PART
        return bool(hit.translation) or is_other or self.is_unknown_color or hit.is_provisional

    @property
    def is_unknown_color(self) -> bool:
        """Tell whether a color was meant in which the item isn't known, while others are."""
        return self.hit.is_known_in_color is False


def rows_of(hits: tuple[Hit, ...], *, with_wanted: bool = False) -> list[ResultRow]:
    """Answer hits as lists show them, on demand with what open orders want of them. Two or three queries."""
    known = catalog.known_of([hit.item_id for hit in hits]) if hits else {}
    keys = {hit.key for hit in hits}
    holdings, pieces = holdings_of(keys), wanted_of(keys) if with_wanted else {}
    return [
        ResultRow(
            hit=hit,
            look=look_of(hit.color_id),
            looks=tuple(look_of(each.color.id) for each in known.get(hit.item_id, ())[:_SWATCHES]),
            colors_count=len(known.get(hit.item_id, ())),
            holding=held(holdings, hit.key, hit.color_id),
            wanted=wanted(pieces, hit.key, hit.color_id),
        )
        for hit in hits
    ]


@require_GET
@require("inventory:read")
def search(request: HttpRequest) -> HttpResponse:
    """Show the items that a number of any platform, or words, mean."""
    query = request.GET.get("q", "").strip()
    if len(query) > MAX_QUERY:
        raise BadRequest(f"Search for at most {MAX_QUERY} characters.")
    found = queries.find_items(query, limit=_SHOWN)
    color = colors.get(found.meaning.color_ids[0]) if found.meaning.color_ids else None
    rows = rows_of(found.hits, with_wanted=True)
    context = {
        "query": query,
        "results": rows,
        "has_reasons": any(row.has_reason for row in rows),
        "corrected": found.corrected,
        "color": color.name if color else "",
        "lots_url": list_url(urlencode({"q": query})),
        "add_url": f"{reverse('inventory:add')}?{urlencode({'item_no': query})}" if found.meaning.number else "",
    }
    return render(request, "inventory/search.html", context, partial="results")


# --- An item --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Link:
    """An item that a page leads to. `kind`: of a line of a set, unless it is simply in it."""

    line: ItemLine
    kind: str = ""

    @property
    def url(self) -> str:
        """Answer its page."""
        return item_url(self.line.item_type, self.line.item_no, self.line.color.id if self.line.color else None)

    @property
    def look(self) -> ColorLook:
        """Answer how its color is drawn."""
        color = self.line.color
        return look_of(color.id if color and color.id != colors.NOT_APPLICABLE else None)


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Items that are the same thing to the one that is shown; `more`: how many aren't listed."""

    title: str
    links: tuple[Link, ...]
    count: int

    @property
    def more(self) -> int:
        """Answer how many aren't listed."""
        return self.count - len(self.links)


@dataclass(frozen=True, slots=True)
class ColorLine:
    """A color of the item with where its lots are, and where one is added."""

    row: ColorRow
    lots_url: str
    add_url: str
    is_meant: bool


def _part_out_url(item: CatalogItem) -> str:
    """Answer where a set is parted out; nothing where that can't be done."""
    try:
        return f"{reverse('inventory:part_out')}?{urlencode({'set': item.item_no})}"
    except NoReverseMatch:
        return ""


def _meant_color(request: HttpRequest) -> colors.Color | None:
    text = request.GET.get("color", "")
    return colors.get(int(text)) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def _lots_url(item: CatalogItem, color_id: int | None = None) -> str:
    values = {"type": item.item_type, "item_no": item.item_no}
    return list_url(urlencode(values if color_id is None else {**values, "color": color_id}))


def _category(item: CatalogItem) -> str:
    return item.category.name if item.category else ""


def _add_url(item: CatalogItem, color: str = "") -> str:
    values = {
        "item_type": item.item_type, "item_no": item.item_no, "item_name": item.name, "category_name": _category(item),
        "color_id": color,
    }  # fmt: skip
    return f"{reverse('inventory:add')}?{urlencode({name: value for name, value in values.items() if value})}"


def _content_link(content: Content) -> Link:
    return Link(content.line, "" if content.kind == catalog.REGULAR else content.kind)


@require_GET
@require("inventory:read")
def item(request: HttpRequest, item_type: str, item_no: str) -> HttpResponse:
    """Show an item: its numbers everywhere, colors, relations, sets, contents, and the shop's own lots."""
    if item_type not in ItemType.values:
        raise NotFound("There is no such type of item.")
    found = catalog.get_item(item_type, item_no)
    meant, rows, numbers = _meant_color(request), color_rows(found), catalog.numbers_of(found)
    key = (found.item_type, found.item_no)
    contents = catalog.contents_of([found.pk]).get(found.pk, []) if item_type in _CONTAINERS else []
    first = start_of(request)
    shown = contents[first : first + _LINES]
    groups = [
        LinkGroup(group.title, tuple(Link(line) for line in group.items), group.count)
        for group in (*catalog.related_to(found), catalog.sets_with(found))
        if group.items
    ]
    context = {
        "item": found,
        "type_label": str(ItemType(item_type).label),
        "category": _category(found),
        "color": meant,
        "look": look_of(meant.id if meant else None),
        "is_unknown_color": bool(meant and rows and not any(row.id == meant.id and row.is_known for row in rows)),
        "numbers": [each for each in numbers if each.is_sure],
        "hints": [each for each in numbers if not each.is_sure],
        "colors": [
            ColorLine(row, _lots_url(found, row.id), _add_url(found, row.look.name), bool(meant and row.id == meant.id))
            for row in rows
        ],
        "holding": held(holdings_of([key]), key),
        "lots_url": _lots_url(found),
        "add_url": _add_url(found, meant.name if meant else ""),
        "groups": groups,
        "lines": [_content_link(content) for content in shown],
        "lines_count": len(contents),
        "pieces": sum(content.line.qty for content in contents if content.kind == catalog.REGULAR),
        "page": page_of(request, first=first, shown=len(shown), total=len(contents), size=_LINES),
        "dimensions_unit": "studs" if item_type == ItemType.PART else "cm",
        "part_out_url": _part_out_url(found) if contents and item_type == ItemType.SET else "",
    }
    return render(request, "inventory/item.html", context, partial="contents")

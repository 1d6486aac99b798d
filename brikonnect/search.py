"""The command palette: one box that finds items, lots, pages and people, as far as the visitor may see them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse

from accounts import queries as people
from brikonnect.navigation import places_for
from catalog.choices import ItemType
from catalog.search import number_of
from catalog.services import asked_labels
from common import actor
from common.access import signed_in
from common.errors import BadRequest
from common.htmx import render
from common.http import HttpRequest
from inventory.queries import catalog, lots
from inventory.views.catalog import ResultRow, rows_of, search_url
from orders.choices import OrderStatus
from orders.queries import buyers, orders

MAX_QUERY = 100
PER_GROUP = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the palette. A thing of the catalog has its picture in place of an icon."""

    label: str
    detail: str
    url: str
    icon: str
    item_type: str = ""
    item_no: str = ""
    color_id: int | None = None
    rgb: str = ""


@dataclass(frozen=True, slots=True)
class HitGroup:
    """Lines of one kind."""

    label: str
    hits: tuple[Hit, ...]


def _matches(label: str, words: list[str]) -> bool:
    text = label.lower()
    return all(word in text for word in words)


def _pages(request: HttpRequest, words: list[str]) -> tuple[Hit, ...]:
    return tuple(
        Hit(place.label, f"G then {place.shortcut}" if place.shortcut else "", place.url, place.icon)
        for place in places_for(request)
        if _matches(place.label, words)
    )


def _people(query: str) -> tuple[Hit, ...]:
    if not query or not actor.current().can("users:read"):
        return ()
    return tuple(
        Hit(user.display_name, user.email, reverse("accounts:user", args=[user.id]), "user")
        for user in people.find_users(query, limit=PER_GROUP)
    )


def _lots(query: str) -> tuple[Hit, ...]:
    if not query or not actor.current().can("inventory:read"):
        return ()
    return tuple(
        Hit(
            f"{lot.item_no} {lot.item_name}".strip(),
            f"{lot.color.name} {lot.condition_label} · {lot.qty_available:,}".strip(),
            lot.url,
            "",
            lot.item_type,
            lot.item_no,
            lot.color_id,
            lot.color.rgb,
        )
        for lot in lots.find_lots(query, limit=PER_GROUP)
    )


def _items(query: str) -> tuple[Hit, ...]:
    """Answer what the catalog finds, and by whose number; then all of it."""
    if not query or not actor.current().can("inventory:read"):
        return ()
    rows = rows_of(catalog.find_items(query, limit=PER_GROUP).hits)
    hits = [
        Hit(
            row.hit.label, _item_detail(row), row.url, "", row.hit.item_type, row.hit.item_no, row.hit.color_id,
            row.look.rgb,
        )
        for row in rows
    ]  # fmt: skip
    if hits:
        hits.append(Hit("All that the catalog finds", "", search_url(query), "package-search"))
    return tuple(hits)


def _look_up(query: str) -> tuple[Hit, ...]:
    """Answer where a number is asked for that nobody here knows."""
    asked = asked_labels()
    if number_of(query) is None or not asked or not actor.current().can("inventory:read"):
        return ()
    url = f"{reverse('inventory:look_up')}?{urlencode({'q': query})}"
    return (Hit(f"Look {query} up elsewhere", ", ".join(asked), url, "package-search"),)


def _item_detail(result: ResultRow) -> str:
    stock = f"{result.holding.qty:,} in stock" if result.holding.lots else ""
    color = "" if result.hit.translation else result.look.name
    kind = "" if result.hit.item_type == ItemType.PART else result.hit.type_label
    number = "Known only by Rebrickable's number" if result.hit.is_provisional else ""
    return " · ".join(part for part in (result.hit.translation, kind, color, number, stock) if part)


def _orders(query: str) -> tuple[Hit, ...]:
    if not query or not actor.current().can("orders:read"):
        return ()
    return tuple(
        Hit(
            f"{order.store} {order.number}",
            " · ".join(part for part in (order.buyer, str(OrderStatus(order.status).label)) if part),
            order.url,
            "shopping-basket",
        )
        for order in orders.find_orders(query, limit=PER_GROUP)
    )


def _buyers(query: str) -> tuple[Hit, ...]:
    if not query or not actor.current().can("orders:read"):
        return ()
    return tuple(
        Hit(buyer.name, f"{buyer.orders:,} order{'' if buyer.orders == 1 else 's'}", buyer.url, "user")
        for buyer in buyers.find_buyers(query, limit=PER_GROUP)
    )


def find(request: HttpRequest, query: str) -> list[HitGroup]:
    """Answer what matches, in groups without empty ones.

    A leading `>` asks for pages only, `@` for people and buyers only, `#` for orders only.
    """
    kind, text = (query[0], query[1:].strip()) if query[:1] in (">", "@", "#") else ("", query)
    words = text.lower().split()
    groups = (
        HitGroup("Lots", _lots(text) if not kind else ()),
        HitGroup("Catalog", _items(text) if not kind else ()),
        HitGroup("Orders", _orders(text) if kind in ("", "#") else ()),
        HitGroup("Buyers", _buyers(text) if kind in ("", "@") else ()),
        HitGroup("People", _people(text) if kind in ("", "@") else ()),
        HitGroup("Pages", _pages(request, words) if kind in ("", ">") else ()),
    )
    found = [group for group in groups if group.hits]
    if not found and not kind and (hits := _look_up(text)):
        return [HitGroup("Nothing here has this number", hits)]
    return found


@signed_in
def palette(request: HttpRequest) -> HttpResponse:
    """Answer the palette's list for what was typed; as a page to whoever follows the search as a link."""
    query = request.GET.get("q", "").strip()
    if len(query) > MAX_QUERY:
        raise BadRequest(f"Search for at most {MAX_QUERY} characters.")
    context = {"groups": find(request, query), "query": query}
    return render(request, "brikonnect/palette.html", context, partial="palette-results")

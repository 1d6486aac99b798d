"""The menu, made from what the views themselves declare: what one may not open isn't shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse

from common import actor, workspace
from common.access import ANONYMOUS, Access


@dataclass(frozen=True, slots=True)
class Place:
    """Where a menu entry leads: a URL name, and the key that follows G."""

    label: str
    url_name: str
    icon: str
    shortcut: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A menu entry as the page shows it."""

    label: str
    url: str
    icon: str
    current: bool
    shortcut: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading; the last group has none."""

    label: str
    items: tuple[Item, ...]


# Apps that an installation leaves out have no URL of that name, and so no entry.
_PLACES: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Work",
        (
            Place("Dashboard", "dashboard", "layout-dashboard", "D"),
            Place("Orders", "orders:list", "shopping-basket", "O"),
            Place("Picking", "picker:list", "clipboard-list", "P"),
            Place("Inventory", "inventory:list", "boxes", "I"),
            Place("Buyers", "orders:buyers", "users"),
        ),
    ),
    (
        "Inventory",
        (
            Place("Locations", "inventory:locations", "map-pin"),
            Place("Purchases", "inventory:purchases", "receipt"),
            Place("Unmapped", "catalog:unmapped", "circle-help"),
            Place("Repricing", "inventory:repricing", "tag"),
        ),
    ),
    (
        "Channels",
        (Place("Stores", "stores:list", "store"), Place("Sync", "sync:runs", "refresh-cw", "Y")),
    ),
    (
        "Insight",
        (
            Place("Audit log", "audit:log", "history", "A"),
            Place("Jobs", "jobs:list", "list-checks"),
        ),
    ),
    (
        "",
        (Place("Settings", "settings", "settings"),),
    ),
)

_MENU = tuple(place for _, places in _PLACES for place in places)

# Places that other pages lead to; only the palette names them.
_WITHIN: tuple[Place, ...] = (
    Place("New order", "orders:new", "plus"),
    Place("New pick session", "picker:new", "clipboard-list"),
    Place("Picking figures", "picker:figures", "chart-column"),
    Place("Import stock", "inventory:imports", "upload"),
    Place("Part out a set", "inventory:part_out", "boxes"),
    Place("Put away", "inventory:put_away", "map-pin"),
    Place("Move pieces", "inventory:move", "map-pin"),
    Place("New sync run", "sync:new_run", "refresh-cw"),
    Place("Sync conflicts", "sync:conflicts", "circle-alert"),
    Place("Your own mappings", "catalog:mappings", "link"),
)

# The left list of the settings pages (ui.md, 8.18).
_SETTINGS: tuple[Place, ...] = (
    Place("General", "tenants:general", "store"),
    Place("Inventory", "tenants:inventory", "package"),
    Place("Orders", "tenants:orders", "shopping-basket"),
    Place("Picking", "picker:setup", "clipboard-list"),
    Place("Users", "accounts:users", "users"),
    Place("Invitations", "accounts:invitations", "mail-plus"),
    Place("Roles", "accounts:roles", "shield"),
    Place("Data", "tenants:data", "database"),
    Place("Profile", "accounts:profile", "user"),
    Place("Security", "accounts:security", "lock"),
    Place("Sessions", "accounts:sessions", "monitor-smartphone"),
    Place("Notifications", "notifications:list", "bell"),
)


def access_of(url: str, urlconf: str | None) -> Access:
    """Answer what the view behind a URL asks of its visitor; a view that declares nothing is closed to everybody."""
    view = resolve(url, urlconf).func
    access: Access | None = getattr(view, "access", None)
    return access or Access(signed_in=True, permissions=("undeclared",))


def _urls(places: Iterable[Place], urlconf: str | None) -> dict[str, Place]:
    found = {}
    for place in places:
        try:
            found[reverse(place.url_name, urlconf)] = place
        except NoReverseMatch:
            continue
    return found


def _items(places: Iterable[Place], request: HttpRequest) -> list[Item]:
    urlconf = getattr(request, "urlconf", None)
    urls = _urls(places, urlconf)
    # Places lie within each other: one is where the most specific of them says.
    around = [url for url in urls if request.path == url or (url != "/" and request.path.startswith(url))]
    here = max(around, key=len, default="")
    return [
        Item(place.label, url, place.icon, url == here, place.shortcut)
        for url, place in urls.items()
        if access_of(url, urlconf).allows(actor.current())
    ]


def places_for(request: HttpRequest) -> list[Item]:
    """Answer every place that the visitor may open, settings included: what the palette offers."""
    return _items((*_MENU, *_WITHIN, *_SETTINGS), request)


def settings_places(request: HttpRequest) -> tuple[Item, ...]:
    """Answer the left list of the settings pages."""
    return tuple(_items(_SETTINGS, request))


class _Shell:
    """The shell's values, worked out only by the pages that show it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def navigation(self) -> list[Group]:
        shown = {item.url: item for item in _items(_MENU, self._request)}
        urlconf = getattr(self._request, "urlconf", None)
        groups = (
            Group(label, tuple(shown[url] for url in _urls(places, urlconf) if url in shown))
            for label, places in _PLACES
        )
        return [group for group in groups if group.items]

    @property
    def settings_navigation(self) -> tuple[Item, ...]:
        return settings_places(self._request)

    @property
    def workspace(self) -> workspace.Workspace:
        return workspace.current()


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give every template the menu, the shop and who is signed in (context processor)."""
    who = actor.current()
    made = _Shell(request)
    return {
        "actor": who,
        "is_signed_in": who is not ANONYMOUS and who.kind is actor.ActorKind.USER and bool(who.id),
        "shell": made,
        "request_id": actor.origin().request_id,
    }

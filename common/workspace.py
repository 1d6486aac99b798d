"""The shop that the present work belongs to. Core asks here and never learns of tenants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from common.paper import SlipPaper


@dataclass(frozen=True, slots=True)
class Workspace:
    """What core needs to know of its surroundings. `key` separates whatever lies outside the database by shop."""

    key: str
    slug: str
    name: str
    currency: str
    timezone: str
    country: str
    # Where its pages are: `demo.brikonnect.com`, without a port.
    host: str
    # How long the audit trail is kept; twelve at least.
    audit_retention_months: int = 24
    # How remarks name locations (inventory.remarks); empty: they don't.
    remarks_pattern: str = ""
    # A lot that sold nothing for so long is stale.
    stale_after_days: int = 365
    # Whether a photo may leave the house, so that somebody outside says what it shows.
    identifies_photos: bool = True
    # A buyer who ordered nothing for so long is forgotten; 0: never by itself.
    buyer_retention_months: int = 0
    # As papers show it: street, town, country.
    address: tuple[str, ...] = ()
    vat_text: str = ""
    # What stands at the foot of papers.
    document_text: str = ""
    # What packing slips are printed on, and whether they show what is in the parcel.
    slip_paper: str = SlipPaper.SHEET
    has_slip_pictures: bool = True
    # Its people may look and not change: nothing goes out to channels meanwhile, and their orders come in.
    is_suspended: bool = False

    @property
    def url(self) -> str:
        """Answer the address of the shop's pages without a path, for links in mails: `https://demo.brikonnect.com`."""
        usual = {"http": 80, "https": 443}[settings.PUBLIC_SCHEME]
        port = "" if usual == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
        return f"{settings.PUBLIC_SCHEME}://{self.host}{port}"

    @property
    def zone(self) -> ZoneInfo:
        """Answer the time zone in which the shop's days begin."""
        return ZoneInfo(self.timezone)


@cache
def _provider(path: str) -> Callable[[], Workspace]:
    provider: Callable[[], Workspace] = import_string(path)
    return provider


def current() -> Workspace:
    """Answer the shop whose data the present connection sees."""
    return _provider(getattr(settings, "WORKSPACE_PROVIDER", "common.workspace.from_settings"))()


def current_key() -> str:
    """Answer the present schema's name, without looking anything up."""
    return getattr(connection, "schema_name", None) or "public"


@contextmanager
def enter(key: str) -> Iterator[None]:
    """See the data of the shop with that key inside the block, in this thread; a no-op where there is one shop only.

    For what runs beside or after the present work: threads start in the public schema, and what waits for a commit
    may run when the block that knew the shop has ended.
    """
    before = getattr(connection, "tenant", None)
    if key == current_key() or before is None:
        yield
        return
    switchable = cast("Any", connection)
    switchable.set_schema(key)
    try:
        yield
    finally:
        switchable.set_tenant(before)


def cache_key(key: str, key_prefix: str, version: int) -> str:
    """Answer a cache key that two shops never share (Django's KEY_FUNCTION)."""
    return f"{current_key()}:{key_prefix}:{version}:{key}"


def from_settings() -> Workspace:
    """Answer the one shop that the settings describe, where there are no tenants."""
    shop = settings.WORKSPACE
    return Workspace(
        key=current_key(),
        slug="shop",
        name=shop["name"],
        currency=shop["currency"],
        timezone=shop["timezone"],
        country=shop["country"],
        host=settings.BASE_DOMAIN,
    )

"""Reads which lots a store lists: as the inventory's list is narrowed, by its address or what stands behind it."""

from urllib.parse import urlsplit

from inventory.models import InventoryExternalId, InventoryItem
from inventory.queries.filters import Filters, filtered
from inventory.queries.repricing import words_of
from stores.guards import TakenOff
from stores.models import Store
from stores.settings_schema import StoreSettings

# What the address of a list says besides what narrows it.
_BESIDE = frozenset({"sort", "order", "cursor", "page", "view", "columns", "after", "before", "select"})


def read_query(text: str) -> str:
    """Answer the query of an address, or one as it is, as it is kept. Raises ValueError where it can't be read."""
    query = urlsplit(text).query if "?" in text or "://" in text else text
    found = Filters.parse(query, beside=_BESIDE)
    if found.unknown:
        raise ValueError(f"Nobody knows which lots these are: {', '.join(term.words for term in found.unknown)}.")
    if not found.values:
        raise ValueError("This narrows nothing. Narrow the inventory's list, and copy its address; empty: all lots.")
    return found.as_query()


def taken_off(store: Store, query: str) -> TakenOff:
    """Answer how many lots another query would take off a store, of those that are for sale there. Two queries."""
    there = InventoryExternalId.objects.filter(store=store, external_lot_id__isnull=False, base__qty__gt=0)
    before = StoreSettings.of(store.settings).listed_query
    chosen = filtered(Filters.parse(before)) if before else InventoryItem.objects.all()
    left = chosen.exclude(pk__in=filtered(Filters.parse(query)).values("pk"))
    return TakenOff(there.filter(inventory_item__in=left.values("pk")).count(), there.count())


def chosen_words(query: str) -> str:
    """Answer in words which lots a store lists."""
    return words_of(query) if query else "All lots"

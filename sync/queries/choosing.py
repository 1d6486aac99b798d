"""Reads which lots a store lists: as the inventory's list is narrowed, by its address or what stands behind it."""

from urllib.parse import urlsplit

from inventory.queries.filters import Filters
from inventory.queries.repricing import words_of

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


def chosen_words(query: str) -> str:
    """Answer in words which lots a store lists."""
    return words_of(query) if query else "All lots"

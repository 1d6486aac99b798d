"""Which orders are meant where several are: those that a filter leaves, as the list showed them."""

from datetime import datetime
from uuid import UUID

from common.errors import Invalid
from common.tables import BESIDE
from orders.queries.filters import Filters, filtered


def filters_of(query: str) -> Filters:
    """Answer the filters of a list's address. Raises Invalid where one isn't understood: it would leave too many."""
    filters = Filters.parse(query, beside=BESIDE)
    if filters.unknown:
        words = ", ".join(term.words for term in filters.unknown)
        raise Invalid(f"Nobody knows which orders these are: {words}.", errors={"/query": ["Take this filter away."]})
    return filters


def chosen_ids(query: str, *, as_of: datetime, limit: int) -> list[UUID]:
    """Answer the orders that the filters of a list left at that moment, the newest first.

    What came in since wasn't seen by who chose. Raises Invalid where there are none or more than the limit.
    """
    found = filtered(filters_of(query)).filter(created_at__lte=as_of)
    ids = list(found.order_by("-ordered_at", "-id").values_list("pk", flat=True)[: limit + 1])
    if not ids:
        raise Invalid("No order is left of this filter. Open the list again.", errors={"/query": ["No orders."]})
    if len(ids) > limit:
        text = f"These are more than {limit:,} orders. Narrow the filter, or choose fewer."
        raise Invalid(text, errors={"/query": [text]})
    return ids

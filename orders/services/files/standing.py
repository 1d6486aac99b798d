"""What a file's orders are here already: nothing yet, of a file before, typed in, or a channel's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orders.files.contents import Found
from orders.models import Order
from stores.choices import Channel
from stores.queries import all_stores, local_store


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an order's number. `refusal`: why it can't be taken; `kept`: why it stays as it is."""

    order: Order | None = None
    refusal: str = ""
    kept: str = ""


def standings(numbers: Collection[str]) -> Mapping[str, Standing]:
    """Answer for each number that is known what it is. One query, and one for the counter's store."""
    own = local_store().pk
    found: dict[str, Standing] = {}
    rows = Order.objects.filter(external_order_id__in=numbers).select_related("store").order_by("created_at")
    for order in rows:
        number = order.external_order_id
        if order.store_id == own:
            found[number] = _of_counter(order)
        elif number not in found:
            found[number] = Standing(
                order,
                refusal=f"{number} is an order of {order.store.name}, which brings it up to date itself. Take it out"
                " of the file, or give the file's order another number.",
            )
    return found


def _of_counter(order: Order) -> Standing:
    if order.channel_as_of is None:
        return Standing(order, kept="It was typed in here, and stays as it is.")
    return Standing(order)


def connected() -> Mapping[str, str]:
    """Answer the names of the stores by the channel that they are on, but for the counter's."""
    return {store.channel: store.name for store in all_stores() if store.channel != Channel.LOCAL}


def objection(found: Found, standing: Standing, stores: Mapping[str, str]) -> str:
    """Answer why an order of a file can't be taken as things stand; empty if it can."""
    if standing.refusal:
        return standing.refusal
    if standing.order is None and found.channel in stores:
        label = str(Channel(found.channel).label)
        return f"It was sold on {label}, and {stores[found.channel]} is connected: its orders come in by themselves."
    if standing.order and found.order and standing.order.currency != found.order.currency:
        return f"The order is in {standing.order.currency} here, and in {found.order.currency} in the file."
    return ""

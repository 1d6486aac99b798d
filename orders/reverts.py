"""How orders are put back: through the services, so that their pieces go along and the table of steps holds."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from audit import reverters
from audit.diff import Step
from audit.reverters import Objection, Patch, Reverter, RowsReverter, Way
from inventory.models import InventoryItem
from orders import lifecycle, services
from orders.models import Buyer, BuyerIdentity, Order, OrderLine, Refund
from orders.services.refunds import why_it_stays as why_refund_stays
from orders.services.restoring import restore_line, restore_order
from orders.services.restoring import why_it_stays as why_order_stays

Guards = Mapping[type[models.Model], Collection[Any]]
_PERSONAL = frozenset(
    {"buyer_name", "buyer_email", "buyer_username", "ship_to", "notes", "buyer_note", "tracking_number"}
)


class OrderReverter(Reverter):
    """Puts orders back by the steps that lead there. One that was made stays: it is cancelled, not deleted."""

    follows = frozenset(
        {"status_changed_at", "status_reason", "shipped_at", "needs_attention", "refunded_total", "channel_status"}
    )
    keeps = {
        "buyer_note": "The buyer wrote it.",
        "replaces_id": "It was made for that order.",
    }
    lock_place = 10

    def permission(self, patch: Patch) -> str | None:
        if patch.way is Way.RESTORE and "status" in patch.values:
            ends = {lifecycle.Status.CANCELLED: "orders:cancel", lifecycle.Status.REFUNDED: "orders:refund"}
            return ends.get(lifecycle.Status(patch.values["status"]), "orders:status_update")
        return "orders:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is Way.REMOVE:
            return Objection("An order isn't deleted; it can be cancelled.", "Open order", _url(patch.id))
        order = Order.objects.select_related("buyer").filter(pk=patch.id).first()
        if order is None or patch.way is not Way.RESTORE:
            return None
        if order.buyer and order.buyer.erased_at and _PERSONAL & patch.values.keys():
            return Objection("The buyer's personal data was deleted for good.")
        if "status" in patch.values and (why := why_order_stays(order, patch.values["status"])):
            return Objection(why, "Open order", _url(patch.id))
        return None

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold their lots too: what they hold of these follows."""
        keys = {step.key for step in steps}
        return {Order: keys, InventoryItem: _lots_of(keys)}

    def restore(self, patch: Patch) -> None:
        restore_order(order_id=patch.id, values=patch.values, now=timezone.now())


class OrderLineReverter(Reverter):
    """Puts lines back, as long as their order is in the house. One that was added is of no pieces afterwards."""

    follows = frozenset(
        {
            "qty_reserved", "qty_short", "qty_shipped", "qty_restocked", "shipped_from", "picked_from", "status",
            "line_total",
            "qty_channel", "qty_picked",
        }
    )  # fmt: skip
    keeps = {
        "order_id": "A line is of one order.",
        "covers_id": "It was made for that line.",
        "qty_missing": "Picking found it so.",
    }
    # Before their orders: what is promised is right when these take their steps.
    turns: ClassVar[Mapping[Way, int]] = {Way.RECREATE: 10, Way.RESTORE: 21, Way.REMOVE: 22}
    lock_place = 12

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "orders:write"

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        """Answer for each; their orders are read at once."""
        found = OrderLine.objects.filter(pk__in=[patch.id for patch in patches]).select_related("order")
        orders = {line.pk: line.order for line in found}
        return [self._objection(orders.get(patch.id), patch) for patch in patches]

    @staticmethod
    def _objection(order: Order | None, patch: Patch) -> Objection | None:
        if order is None or order.status in lifecycle.PROMISED:
            return None
        return Objection("Its order has left or ended.", "Open order", _url(order.pk))

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold their orders and the lots of these."""
        keys = {step.known["order_id"] for step in steps}
        return {Order: keys, InventoryItem: _lots_of(keys)}

    def falls_with(self, step: Step) -> tuple[type[models.Model], Any]:
        """Lines of an order that stays stay."""
        return Order, step.known["order_id"]

    def restore(self, patch: Patch) -> None:
        restore_line(line_id=patch.id, values=patch.values, now=timezone.now())

    def remove(self, patch: Patch) -> None:
        restore_line(line_id=patch.id, values={"qty_ordered": 0}, now=timezone.now())


class RefundReverter(Reverter):
    """Takes the record of a refund back that ended nothing and moved nothing."""

    lock_place = 14

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "orders:refund"

    def objection(self, patch: Patch) -> Objection | None:
        refund = Refund.objects.select_related("order").filter(pk=patch.id).first()
        if refund is None or patch.way is not Way.REMOVE:
            return None
        why = why_refund_stays(refund, refund.order)
        return Objection(why, "Open order", _url(refund.order_id)) if why else None

    def guards(self, steps: Sequence[Step]) -> Guards:
        """Hold their orders too."""
        return {Order: {step.known["order_id"] for step in steps}, Refund: {step.key for step in steps}}

    def remove(self, patch: Patch) -> None:
        services.remove_refund(refund_id=patch.id)


class BuyerReverter(RowsReverter):
    """Puts buyers back by themselves, but for those who were erased."""

    follows = frozenset({"last_ordered_at"})
    keeps = {"erased_at": "What was deleted for good stays so."}
    lock_place = 5

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "orders:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is Way.RESTORE and patch.now and patch.now.get("erased_at"):
            return Objection("The buyer's personal data was deleted for good.")
        return None


class BuyerIdentityReverter(RowsReverter):
    """Puts back whose name on a channel it is."""

    lock_place = 6

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "orders:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is Way.RECREATE and patch.values.get("value") == "erased":
            return Objection("The buyer's personal data was deleted for good.")
        return None


def register() -> None:
    """Tell audit how this app's rows are put back."""
    reverters.register(Order, OrderReverter())
    reverters.register(OrderLine, OrderLineReverter())
    reverters.register(Refund, RefundReverter())
    reverters.register(Buyer, BuyerReverter())
    reverters.register(BuyerIdentity, BuyerIdentityReverter())


def _url(order_id: Any) -> str:
    return reverse("orders:order", args=[order_id])


def _lots_of(order_ids: Collection[Any]) -> set[Any]:
    lines = OrderLine.objects.filter(order__in=order_ids, inventory_item__isnull=False)
    return set(lines.values_list("inventory_item", flat=True))

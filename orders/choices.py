"""The enumerations of orders (definitions.md, sections 6 and 7)."""

from django.db import models

from orders import lifecycle


class OrderStatus(models.TextChoices):
    """Where an order stands."""

    NEW = lifecycle.Status.NEW, "New"
    PENDING = lifecycle.Status.PENDING, "Pending"
    PICKING = lifecycle.Status.PICKING, "Picking"
    PACKING = lifecycle.Status.PACKING, "Packing"
    READY = lifecycle.Status.READY, "Ready"
    SHIPPED = lifecycle.Status.SHIPPED, "Shipped"
    DELIVERED = lifecycle.Status.DELIVERED, "Delivered"
    COMPLETED = lifecycle.Status.COMPLETED, "Completed"
    CANCELLED = lifecycle.Status.CANCELLED, "Cancelled"
    REFUNDED = lifecycle.Status.REFUNDED, "Refunded"


class PaymentStatus(models.TextChoices):
    """How far the payment is."""

    UNPAID = "UNPAID", "Unpaid"
    SUBMITTED = "SUBMITTED", "Payment sent"
    PAID = "PAID", "Paid"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED", "Refunded in part"
    REFUNDED = "REFUNDED", "Refunded"


class LineStatus(models.TextChoices):
    """How far the picking of a line is."""

    PENDING = lifecycle.LineStatus.PENDING, "Pending"
    PICKED = lifecycle.LineStatus.PICKED, "Picked"
    PARTIAL = lifecycle.LineStatus.PARTIAL, "Picked in part"
    MISSING = lifecycle.LineStatus.MISSING, "Missing"


class Flag(models.TextChoices):
    """What is to be known of an order beside its status; each but `problem` comes from the channel or from us."""

    ON_HOLD = "on_hold", "On hold"
    CANCEL_REQUESTED = "cancel_requested", "Buyer asks to cancel"
    PAYMENT_PROBLEM = "payment_problem", "Payment problem"
    DISPUTE = "dispute", "Dispute"
    ITEMS_CHANGED = "items_changed", "Items changed"
    PARTIALLY_SHIPPED = "partially_shipped", "Shipped in part"
    PARTIALLY_REFUNDED = "partially_refunded", "Refunded in part"
    PROBLEM = "problem", "Problem"


# Flags that ask for a person; the others only tell.
URGENT_FLAGS = (
    Flag.ON_HOLD, Flag.CANCEL_REQUESTED, Flag.PAYMENT_PROBLEM, Flag.DISPUTE, Flag.ITEMS_CHANGED, Flag.PROBLEM,
)  # fmt: skip


class FileOutcome(models.TextChoices):
    """What a file of orders does with one of them."""

    NEW = "NEW", "New"
    CHANGED = "CHANGED", "Changed"
    PROBLEM = "PROBLEM", "Problems"
    KEPT = "KEPT", "Left alone"
    EQUAL = "EQUAL", "Unchanged"


class IdentityKind(models.TextChoices):
    """By what a buyer is known again."""

    EMAIL = "email", "E-mail address"
    BRICKLINK = "bricklink", "BrickLink name"
    BRICKOWL = "brickowl", "Brick Owl name"
    BRIKICK = "brikick", "Brikick name"
    SHOPIFY = "shopify", "Shopify customer"
    EBAY = "ebay", "eBay name"
    ETSY = "etsy", "Etsy customer"
    LOCAL = "local", "Name at the counter"

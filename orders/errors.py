"""What can be refused here."""

from common.errors import Conflict


class OrderClosed(Conflict):
    """The order has left the house or has ended; what was to be changed stays as it is."""

    type = "order-closed"
    title = "This order can't be changed any more"

"""Tables of orders."""

from orders.models.buyers import Buyer, BuyerIdentity
from orders.models.files import FileOrder, OrderFile
from orders.models.orders import Order, OrderLine, Refund, order_text

__all__ = ["Buyer", "BuyerIdentity", "FileOrder", "Order", "OrderFile", "OrderLine", "Refund", "order_text"]

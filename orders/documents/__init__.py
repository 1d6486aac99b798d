"""Papers of an order: values in, PDF out."""

from orders.documents.invoice import invoices
from orders.documents.packing_slip import packing_slips
from orders.documents.sheet import sheet_of

__all__ = ["invoices", "packing_slips", "sheet_of"]

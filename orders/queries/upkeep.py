"""Whether there is something for the night to do."""

from common import workspace
from orders.models import Order


def is_a_shop() -> bool:
    """Tell whether the present workspace has orders at all: that of no shop has no such tables."""
    return bool(workspace.current().slug) and Order.objects.exists()

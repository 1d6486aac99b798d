"""How the audit log calls stores and what is done to them."""

from django.urls import reverse

from audit import labels
from stores.models import Store

_ACTIONS = {
    "stores.create_store": "Connected a store",
    "stores.disconnect_store": "Disconnected a store",
    "stores.set_away": "Closed or opened stores for a vacation",
    "stores.set_credentials": "Set a store's credentials",
    "stores.update_store": "Changed a store",
}


def register() -> None:
    """Tell audit the words."""
    labels.describe(Store, name="store", url=lambda key: reverse("stores:store", args=[key]))
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)

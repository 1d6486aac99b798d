"""How the audit log calls shops, hosts and what is done to them."""

from django.urls import reverse

from audit import labels
from tenants.models import Domain, Tenant

_ACTIONS = {
    "tenants.add_domain": "Added a host",
    "tenants.cancel_deletion": "Kept the shop after all",
    "tenants.delete": "Deleted the shop",
    "tenants.found_tenant": "Opened the shop",
    "tenants.reactivate": "Reactivated the shop",
    "tenants.remove_domain": "Removed a host",
    "tenants.request_deletion": "Asked for the shop's deletion",
    "tenants.start_export": "Exported everything",
    "tenants.suspend": "Suspended the shop",
    "tenants.update_settings": "Changed the shop's settings",
}


def register() -> None:
    """Tell audit the words."""
    labels.describe(Tenant, name="shop", url=lambda _key: reverse("tenants:general"))
    labels.describe(Domain, name="host")
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)

"""How a shop's settings are put back."""

from typing import Any

from audit import reverters
from audit.reverters import Objection, Patch, Reverter
from tenants import services
from tenants.models import Tenant
from tenants.workspace import present_shop

# Column of the table → argument of the service.
_ARGUMENTS = {
    "name": "name",
    "currency": "currency",
    "timezone": "time_zone",
    "country": "country",
    "settings": "settings",
}
_OURS = "Only Brikonnect's staff change this."


class TenantReverter(Reverter):
    """What its people say about the shop goes back; what we say about it, and whether there is one, does not."""

    keeps = {
        "schema_name": _OURS,
        "slug": "A shop's address stays.",
        "current_version": "The edition is changed on the billing page.",
        "has_brikick_store": "It follows from the shop's stores.",
        "billing_currency": _OURS,
        "billing_email": "It is changed on the billing page.",
        "stripe_customer_id": _OURS,
        "paypal_payer_id": _OURS,
        "is_suspended": _OURS,
        "suspended_at": _OURS,
        "suspension_reason": _OURS,
        "deletion_requested_at": "A deletion is asked for and taken back on the data page.",
        "ready_at": _OURS,
    }

    def permission(self, _patch: Patch) -> str:
        return "settings:write"

    def objection(self, patch: Patch) -> Objection | None:
        shop = present_shop()
        if shop is None or str(shop.id) != str(patch.id):
            return Objection("This is another shop's.")
        return None

    def restore(self, patch: Patch) -> None:
        values: dict[str, Any] = {
            argument: patch.values[column] for column, argument in _ARGUMENTS.items() if column in patch.values
        }
        if "country" in values:
            values["country"] = str(values["country"])
        services.update_settings(**values)


def register() -> None:
    """Tell audit how this app's rows are put back."""
    reverters.register(Tenant, TenantReverter())

"""The catalogue of permissions, the five system roles, and what they add up to (product.md)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User

CATALOGUE: dict[str, tuple[str, ...]] = {
    "inventory": ("read", "write", "delete", "import", "export"),
    "orders": ("read", "write", "status_update", "cancel", "refund"),
    "picker": ("read", "create_session", "pick", "manage_sessions"),
    "stores": ("read", "write", "credentials"),
    "sync": ("read", "preview", "apply"),
    "shipping": ("read", "write"),
    "users": ("read", "write", "invite"),
    "roles": ("manage",),
    "audit": ("read", "revert"),
    "settings": ("read", "write"),
    "billing": ("manage",),
    "api_keys": ("manage",),
    "webhooks": ("manage",),
}
PERMISSIONS: tuple[str, ...] = tuple(
    f"{resource}:{action}" for resource, actions in CATALOGUE.items() for action in actions
)


def _all_of(*resources: str) -> frozenset[str]:
    return frozenset(f"{resource}:{action}" for resource in resources for action in CATALOGUE[resource])


OWNER = "owner"
ADMIN = "admin"
STAFF = "staff"
PICKER = "picker"
READONLY = "readonly"

SYSTEM_ROLES: dict[str, frozenset[str]] = {
    OWNER: frozenset(PERMISSIONS),
    ADMIN: frozenset(PERMISSIONS) - _all_of("billing"),
    STAFF: _all_of("inventory", "orders", "picker", "shipping")
    | {"stores:read", "sync:read", "sync:preview", "audit:read", "settings:read"},
    PICKER: _all_of("picker") | {"inventory:read", "orders:read", "orders:status_update"},
    READONLY: frozenset({"inventory:read", "orders:read", "picker:read", "stores:read", "shipping:read"}),
}

SYSTEM_LABELS: dict[str, str] = {
    OWNER: "Owner",
    ADMIN: "Admin",
    STAFF: "Staff",
    PICKER: "Picker",
    READONLY: "Read only",
}
DESCRIPTIONS: dict[str, str] = {
    OWNER: "Everything, money and deleting the shop included",
    ADMIN: "Everything but money and deleting the shop",
    STAFF: "Daily work, no sensitive settings",
    PICKER: "Picking, and what it needs to see",
    READONLY: "Looks only",
}

RESOURCE_LABELS: dict[str, str] = {
    "inventory": "Inventory",
    "orders": "Orders",
    "picker": "Picking",
    "stores": "Stores",
    "sync": "Sync",
    "shipping": "Shipping",
    "users": "Users",
    "roles": "Roles",
    "audit": "Audit log",
    "settings": "Settings",
    "billing": "Billing",
    "api_keys": "API keys",
    "webhooks": "Webhooks",
}
ACTION_LABELS: dict[str, str] = {
    "inventory:read": "See lots and locations",
    "inventory:write": "Add and edit lots",
    "inventory:delete": "Delete lots",
    "inventory:import": "Import",
    "inventory:export": "Export",
    "orders:read": "See orders",
    "orders:write": "Add and edit orders",
    "orders:status_update": "Change the status",
    "orders:cancel": "Cancel orders",
    "orders:refund": "Refund",
    "picker:read": "See pick sessions",
    "picker:create_session": "Start pick sessions",
    "picker:pick": "Pick",
    "picker:manage_sessions": "Manage others' sessions",
    "stores:read": "See stores",
    "stores:write": "Add and edit stores",
    "stores:credentials": "Set credentials",
    "sync:read": "See sync runs",
    "sync:preview": "Preview a sync",
    "sync:apply": "Approve and apply",
    "shipping:read": "See shipments and labels",
    "shipping:write": "Buy and cancel labels",
    "users:read": "See users",
    "users:write": "Change roles, deactivate",
    "users:invite": "Invite",
    "roles:manage": "Manage roles",
    "audit:read": "See who changed what",
    "audit:revert": "Revert others' changes",
    "settings:read": "See settings",
    "settings:write": "Change settings",
    "billing:manage": "Edition, invoices, payment",
    "api_keys:manage": "Manage API keys",
    "webhooks:manage": "Manage webhooks",
}


def in_order(permissions: Iterable[str]) -> list[str]:
    """Answer the permissions in the catalogue's order, each once, without what the catalogue doesn't know."""
    wanted = set(permissions)
    return [name for name in PERMISSIONS if name in wanted]


def unknown(permissions: Iterable[str]) -> list[str]:
    """Answer what isn't in the catalogue."""
    return sorted(set(permissions) - set(PERMISSIONS))


def permissions_of(user: "User") -> frozenset[str]:
    """Answer what the user's roles add up to; nothing for a deactivated one. One query, or none if fetched along."""
    if not user.is_active:
        return frozenset()
    fetched: list[str] | None = getattr(user, "role_permissions", None)
    if fetched is None:
        fetched = [name for names in user.roles.values_list("permissions", flat=True) for name in names]
    return frozenset(fetched).intersection(PERMISSIONS)

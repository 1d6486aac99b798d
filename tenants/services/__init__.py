"""What can be done with tenants. Every verb is atomic, or says why not."""

from tenants.services.deletion import cancel_deletion, cancel_deletion_of, delete_due, request_deletion
from tenants.services.exporting import start_export, write_export
from tenants.services.founding import Founded, Founder, found_tenant
from tenants.services.settings import update_settings
from tenants.services.sign_up import (
    WayIn,
    begin_sign_up,
    change_address,
    clear_sign_ups,
    confirm_sign_up,
    resend_code,
    way_in,
)
from tenants.services.standing import add_domain, reactivate, remove_domain, suspend

__all__ = [
    "Founded",
    "Founder",
    "WayIn",
    "add_domain",
    "begin_sign_up",
    "cancel_deletion",
    "cancel_deletion_of",
    "change_address",
    "clear_sign_ups",
    "confirm_sign_up",
    "delete_due",
    "found_tenant",
    "reactivate",
    "remove_domain",
    "request_deletion",
    "resend_code",
    "start_export",
    "suspend",
    "update_settings",
    "way_in",
    "write_export",
]

"""What a shop says about itself: name, currency, time zone, where it is."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit import context
from common.errors import StaleVersion
from tenants import queries, routing, settings_schema
from tenants.models import Domain, Tenant
from tenants.services.founding import checked_name, checked_place


@transaction.atomic
def update_settings(
    *,
    expected_version: int | None = None,
    name: str | None = None,
    currency: str | None = None,
    time_zone: str | None = None,
    country: str | None = None,
    address: Mapping[str, Any] | None = None,
    remarks_pattern: str | None = None,
    stale_after_days: int | None = None,
    identifies_photos: bool | None = None,
    buyer_retention_months: int | None = None,
    vat_text: str | None = None,
    document_text: str | None = None,
    slip_paper: str | None = None,
    has_slip_pictures: bool | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Tenant:
    """Change what the shop at hand says about itself; what is None stays, and so do lines that `address` leaves out.

    `expected_version`: what the caller saw; None compares nothing, for reverts. Raises Invalid, StaleVersion, NotFound.
    """
    context.describe("tenants.update_settings")
    tenant = queries.present_tenant(lock=True)
    if expected_version is not None and tenant.version != expected_version:
        raise StaleVersion(
            "Somebody else changed the settings meanwhile. Look at them and save again.", current_version=tenant.version
        )
    before = _columns(tenant)
    place = checked_place(
        currency=tenant.currency if currency is None else currency,
        time_zone=tenant.timezone if time_zone is None else time_zone,
        country=str(tenant.country) if country is None else country,
    )
    for column, value in place.items():
        setattr(tenant, column, value)
    if name is not None:
        tenant.name = checked_name(name)
    kept = settings_schema.read(tenant.settings).model_dump()
    if settings is not None:
        kept = dict(settings)
    details = (name, currency, time_zone, country, address)
    of_work = {
        "remarks_pattern": remarks_pattern,
        "stale_after_days": stale_after_days,
        "identifies_photos": identifies_photos,
        "buyer_retention_months": buyer_retention_months,
        "vat_text": vat_text,
        "document_text": document_text,
        "slip_paper": slip_paper,
        "has_slip_pictures": has_slip_pictures,
    }
    chosen = {key: value for key, value in of_work.items() if value is not None}
    # Who says how stock is kept, or what papers say, hasn't looked at the shop's name and address yet.
    if expected_version is not None and (any(value is not None for value in details) or not chosen):
        kept["is_confirmed"] = True
    if address is not None:
        kept["address"] = {**kept["address"], **address}
    tenant.settings = settings_schema.validated({**kept, **chosen})
    if _columns(tenant) == before:
        return tenant
    tenant.version += 1
    tenant.save()
    remember(tenant)
    return tenant


def _columns(tenant: Tenant) -> tuple[Any, ...]:
    # Defaults that were never stored are no change.
    stored = settings_schema.read(tenant.settings).model_dump()
    return (tenant.name, tenant.currency, tenant.timezone, str(tenant.country), stored)


def remember(tenant: Tenant) -> None:
    """After the commit, have every process see the row as it is."""
    hosts = list(Domain.objects.filter(tenant=tenant).values_list("domain", flat=True))
    routing.remember(schema=tenant.schema_name, hosts=hosts)

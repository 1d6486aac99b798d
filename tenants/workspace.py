"""Tells core which shop it works for (the socket WORKSPACE_PROVIDER)."""

from typing import Any, cast

from django.conf import settings
from django.db import connection

from common.workspace import Workspace
from tenants.routing import Shop, tenant_for_schema
from tenants.schemas import PUBLIC


def present_shop() -> Shop | None:
    """Answer the shop whose data the connection sees; None in the public schema."""
    place = cast("Any", connection)
    if isinstance(place.tenant, Shop):
        return place.tenant
    if place.schema_name == PUBLIC:
        return None
    return tenant_for_schema(place.schema_name)


def from_connection() -> Workspace:
    """Answer the shop at hand, or ourselves in the public schema, where our staff and the mail of no tenant live."""
    shop = present_shop()
    if shop is None:
        ours = settings.WORKSPACE
        return Workspace(
            key=cast("Any", connection).schema_name,
            slug="",
            name=ours["name"],
            currency=ours["currency"],
            timezone=ours["timezone"],
            country=ours["country"],
            host=settings.BASE_DOMAIN,
        )
    return Workspace(
        key=shop.schema_name,
        slug=shop.slug,
        name=shop.name,
        currency=shop.currency,
        timezone=shop.timezone,
        country=shop.country,
        host=shop.primary_host,
        remarks_pattern=shop.remarks_pattern,
        stale_after_days=shop.stale_after_days,
        identifies_photos=shop.identifies_photos,
        buyer_retention_months=shop.buyer_retention_months,
        address=shop.address,
        vat_text=shop.vat_text,
        document_text=shop.document_text,
        slip_paper=shop.slip_paper,
        has_slip_pictures=shop.has_slip_pictures,
        is_suspended=shop.is_suspended,
    )

"""Whether a shop may work: suspended over a debt or a breach, and taken up again. Also which hosts lead to it."""

import re
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import context
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from tenants import routing
from tenants.events import TenantReactivated, TenantSuspended
from tenants.models import DeletedTenant, Domain, Tenant
from tenants.routing import Shop, within
from tenants.services.settings import remember

_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _locked(tenant_id: UUID) -> Tenant:
    tenant = Tenant.objects.select_for_update(no_key=True).filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound("There is no such shop.")
    return tenant


def shop_of(tenant: Tenant) -> Shop:
    """Answer what requests know of the row."""
    return Shop.of(
        tenant, primary_host=Domain.objects.values_list("domain", flat=True).get(tenant=tenant, is_primary=True)
    )


@transaction.atomic
def suspend(*, tenant_id: UUID, reason: str, now: datetime) -> Tenant:
    """Have a shop look but not change; its people read the reason. A second time changes only that."""
    tenant = _locked(tenant_id)
    if not reason.strip():
        raise Invalid(errors={"/reason": ["Say why: the shop's people read it."]})
    with within(shop_of(tenant)):
        context.describe("tenants.suspend", reason=reason.strip())
        tenant.suspended_at = tenant.suspended_at or now
        is_new = not tenant.is_suspended
        tenant.is_suspended, tenant.suspension_reason = True, reason.strip()
        tenant.version += 1
        tenant.save()
        if is_new:
            publish(TenantSuspended(tenant_id=tenant.id, reason=tenant.suspension_reason))
    remember(tenant)
    return tenant


@transaction.atomic
def reactivate(*, tenant_id: UUID) -> Tenant:
    """Let a suspended shop work again. One that isn't suspended stays as it is."""
    tenant = _locked(tenant_id)
    if tenant.is_suspended:
        with within(shop_of(tenant)):
            context.describe("tenants.reactivate")
            tenant.is_suspended, tenant.suspended_at, tenant.suspension_reason = False, None, ""
            tenant.version += 1
            tenant.save()
            publish(TenantReactivated(tenant_id=tenant.id))
        remember(tenant)
    return tenant


@transaction.atomic
def add_domain(*, tenant_id: UUID, host: str, now: datetime) -> Domain:
    """Have a host of the shop's own lead to it, beside its slug's.

    Raises Invalid for what is no host or ours, Conflict for one that leads elsewhere.
    """
    tenant = _locked(tenant_id)
    name = host.strip().lower().rstrip(".")
    if not _HOST.fullmatch(name):
        raise Invalid(errors={"/domain": ["This isn't a host name, such as shop.example.com."]})
    if name == settings.BASE_DOMAIN or name.endswith(f".{settings.BASE_DOMAIN}"):
        raise Invalid(errors={"/domain": [f"Hosts below {settings.BASE_DOMAIN} are given by the slug alone."]})
    if Domain.objects.filter(domain=name).exists() or _is_resting(name, now):
        raise Conflict(f"{name} leads to another shop already.")
    with within(shop_of(tenant)):
        context.describe("tenants.add_domain")
        domain = Domain.objects.create(tenant=tenant, domain=name, is_primary=False)
    routing.remember(schema=tenant.schema_name, hosts=[name])
    return domain


def _is_resting(host: str, now: datetime) -> bool:
    return DeletedTenant.objects.filter(hosts__contains=[host], reusable_at__gt=now).exists()


@transaction.atomic
def remove_domain(*, domain_id: int) -> None:
    """Have a host lead nowhere any more. Raises Conflict for the primary one."""
    domain = Domain.objects.select_related("tenant").filter(pk=domain_id).first()
    if domain is None:
        raise NotFound("There is no such host.")
    tenant = _locked(domain.tenant_id)
    if domain.is_primary:
        raise Conflict("The shop's own address stays.")
    with within(shop_of(tenant)):
        context.describe("tenants.remove_domain")
        domain.delete()
    routing.remember(schema=tenant.schema_name, hosts=[domain.domain])

"""What can be asked about tenants: of the shop at hand, and of all of them for our staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from django.db.models import QuerySet
from django.utils import timezone

from common.errors import NotFound
from tenants import routing, settings_schema, slugs
from tenants.models import DeletedTenant, Domain, SignUp, Tenant
from tenants.routing import GRACE
from tenants.settings_schema import TenantSettings
from tenants.workspace import present_shop


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """The settings of the shop at hand, as its pages and the API show them."""

    id: UUID
    name: str
    slug: str
    host: str
    currency: str
    timezone: str
    country: str
    settings: TenantSettings
    edition: str
    is_suspended: bool
    deletion_requested_at: datetime | None
    created_at: datetime
    version: int

    @property
    def delete_on(self) -> datetime | None:
        """Answer when the shop goes, if somebody asked for that."""
        return self.deletion_requested_at + GRACE if self.deletion_requested_at else None


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an address can be had, and in words why not."""

    slug: str
    host: str
    is_free: bool
    message: str


def present_tenant(*, lock: bool = False) -> Tenant:
    """Answer the row of the shop at hand; raises NotFound in the public schema."""
    shop = present_shop()
    found = Tenant.objects.select_for_update(no_key=True) if lock else Tenant.objects
    tenant = found.filter(pk=shop.id).first() if shop else None
    if tenant is None:
        raise NotFound
    return tenant


def shop_settings() -> ShopSettings:
    """Answer the settings of the shop at hand. One query."""
    return as_settings(present_tenant())


def details_confirmed() -> bool:
    """Tell whether somebody has looked after the shop's settings since it was founded."""
    shop = present_shop()
    kept = Tenant.objects.filter(pk=shop.id).values_list("settings", flat=True).first() if shop else None
    if kept is None:
        raise NotFound
    return settings_schema.read(kept).is_confirmed


def as_settings(tenant: Tenant) -> ShopSettings:
    """Answer the settings of a row, which is the shop at hand's."""
    shop = present_shop()
    return ShopSettings(
        id=tenant.id,
        name=tenant.name,
        slug=tenant.slug,
        host=shop.primary_host if shop else routing.host_of(tenant.slug),
        currency=tenant.currency,
        timezone=tenant.timezone,
        country=str(tenant.country),
        settings=settings_schema.read(tenant.settings),
        edition=tenant.current_version,
        is_suspended=tenant.is_suspended,
        deletion_requested_at=tenant.deletion_requested_at,
        created_at=tenant.created_at,
        version=tenant.version,
    )


def tenant_with_slug(slug: str) -> Tenant:
    """Answer the shop with that address; raises NotFound."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NotFound(f"There is no shop {slug}.")
    return tenant


def domain_of(host: str) -> Domain | None:
    """Answer the row of a host, if it leads to a shop."""
    return Domain.objects.filter(domain=host).first()


def hosts() -> list[str]:
    """Answer the hosts that lead to the shop at hand, the primary one first."""
    shop = present_shop()
    found = Domain.objects.filter(tenant=shop.id) if shop else Domain.objects.none()
    return list(found.order_by("-is_primary", "domain").values_list("domain", flat=True))


def time_zones() -> Sequence[str]:
    """Answer the names of time zones that people know: places, and UTC."""
    places = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(places)))


# --- Addresses ------------------------------------------------------------------------------------------------------


def is_taken(slug: str, *, now: datetime) -> bool:
    """Tell whether a shop has the address, or had it until lately."""
    return (
        Tenant.objects.filter(slug=slug).exists()
        or Domain.objects.filter(domain=routing.host_of(slug)).exists()
        or DeletedTenant.objects.filter(slug=slug, reusable_at__gt=now).exists()
    )


def availability(text: str, *, now: datetime | None = None) -> Availability:
    """Answer whether what somebody types can be a new shop's address."""
    slug = slugs.normalized(text)
    message = slugs.problem_with(slug)
    if not message and is_taken(slug, now=now or timezone.now()):
        message = "Another shop has this address."
    return Availability(
        slug=slug,
        host=routing.host_of(slug),
        is_free=not message,
        message=message or f"{routing.with_port(routing.host_of(slug))} is free.",
    )


def suggested_slug(name: str, *, now: datetime) -> str:
    """Answer a free address made of a shop's name, or nothing."""
    base = slugs.suggestion(name)
    for candidate in (base, f"{base}-bricks", f"{base}-shop-2", f"{base}-shop-3"):
        if base and not slugs.problem_with(candidate) and not is_taken(candidate, now=now):
            return candidate
    return ""


# --- Sign-ups, deletion ---------------------------------------------------------------------------------------------


def get_sign_up(sign_up_id: UUID, *, now: datetime) -> SignUp | None:
    """Answer a sign-up whose time isn't over, with its tenant if it has become one; else None."""
    return SignUp.objects.select_related("tenant").filter(pk=sign_up_id, expires_at__gt=now).first()


def due_for_deletion(*, now: datetime) -> QuerySet[Tenant]:
    """Answer the shops whose grace period is over."""
    return Tenant.objects.filter(deletion_requested_at__lte=now - GRACE).order_by("deletion_requested_at")


def with_files_left() -> QuerySet[DeletedTenant]:
    """Answer the deleted shops whose files haven't all been removed."""
    return DeletedTenant.objects.filter(files_removed_at__isnull=True).order_by("deleted_at")

"""A new shop: schema, host, owner, all in one transaction, so that there is all of it or nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import connection, transaction
from django_tenants.utils import schema_context, tenant_context

from accounts import services as people
from accounts.models import User
from accounts.roles import OWNER
from audit import context
from common import actor
from common.errors import Invalid
from common.ids import new_id
from common.steps import step
from tenants import queries, routing, schemas, slugs
from tenants.choices import Currency
from tenants.errors import AddressRefused, AddressTaken
from tenants.models import Domain, Tenant

_SCHEMA_LENGTH = 63
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Founder:
    """Who becomes the first owner. `password` or `password_hash` (Django's); with neither he asks for a reset link."""

    email: str
    display_name: str
    password: str | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Founded:
    """The new shop and its owner."""

    tenant: Tenant
    owner: User


def schema_for(slug: str, tenant_id: UUID) -> str:
    """Answer the schema of a new shop: readable by its slug, unique for ever by the random end of its id."""
    tail = f"_{tenant_id.hex[-10:]}"
    return f"t_{slug.replace('-', '_')}"[: _SCHEMA_LENGTH - len(tail)] + tail


def checked_name(name: str) -> str:
    """Answer a shop's name without needless spaces; raises Invalid."""
    found = " ".join(name.split())
    if not found or "\0" in found:
        raise Invalid(errors={"/name": ["A shop needs a name."]})
    if len(found) > MAX_NAME:
        raise Invalid(errors={"/name": [f"A shop's name has at most {MAX_NAME} characters."]})
    return found


def checked_place(*, currency: str, time_zone: str, country: str) -> dict[str, Any]:
    """Answer the columns of where a shop is; raises Invalid for what isn't in the lists."""
    from django_countries import countries  # noqa: PLC0415  # it reads the settings when imported

    errors: dict[str, list[str]] = {}
    if currency not in Currency.values:
        errors["/currency"] = ["Choose one of EUR, USD and GBP."]
    if time_zone not in available_timezones():
        errors["/timezone"] = ["There is no such time zone."]
    if country not in countries.countries:
        errors["/country"] = ["There is no such country."]
    if errors:
        raise Invalid(errors=errors)
    return {"currency": currency, "timezone": time_zone, "country": country}


def check_address(slug: str, *, now: datetime) -> None:
    """Pass if a new shop can have the address; raises AddressRefused or AddressTaken."""
    if problem := slugs.problem_with(slug):
        raise AddressRefused(problem, errors={"/slug": [problem]})
    if queries.is_taken(slug, now=now):
        raise AddressTaken(f"{routing.host_of(slug)} belongs to another shop. Choose another address.", slug=slug)


def _reserve(slug: str) -> None:
    """Let one founding with this slug pass at a time: the second then sees the first's shop, and not a broken key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tenants.slug:{slug}"])


@transaction.atomic
def found_tenant(
    *,
    slug: str,
    name: str,
    founder: Founder,
    now: datetime,
    currency: str = Currency.EUR,
    time_zone: str = "UTC",
    country: str = "NL",
) -> Founded:
    """Make a shop with its schema, its host and its first owner, whose address counts as verified.

    Raises AddressRefused, AddressTaken, Invalid. Killed anywhere, it leaves nothing: the schema is taken back too.
    """
    context.describe("tenants.found_tenant")
    place = checked_place(currency=currency, time_zone=time_zone, country=country)
    named = checked_name(name)
    _reserve(slug)
    check_address(slug, now=now)
    tenant_id = new_id()
    schema = schema_for(slug, tenant_id)
    schemas.hold_template()
    step("tenants.before_schema")
    schemas.create_copy(schema)
    step("tenants.after_schema")
    host = routing.host_of(slug)
    # The row is public, its trail is the shop's own, from its first line on.
    with schema_context(schema), actor.use(actor.SYSTEM):
        tenant = Tenant.objects.create(
            id=tenant_id, schema_name=schema, slug=slug, name=named, billing_currency=currency, ready_at=now, **place
        )
        Domain.objects.create(tenant=tenant, domain=host, is_primary=True)
    with tenant_context(routing.Shop.of(tenant, primary_host=host)), actor.use(actor.SYSTEM):
        owner = people.create_user(
            email=founder.email,
            display_name=founder.display_name,
            roles=[OWNER],
            password=founder.password,
            password_hash=founder.password_hash,
            is_verified=True,
        )
    step("tenants.before_commit")
    routing.remember(schema=schema, hosts=[host])
    return Founded(tenant=tenant, owner=owner)

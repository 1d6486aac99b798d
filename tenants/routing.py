"""Which host leads where, and to which shop. Asked by every request, so the answers are kept in Redis."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Self
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.urls import get_urlconf, set_urlconf
from django_tenants.utils import tenant_context

from tenants import settings_schema
from tenants.models import Domain, Tenant
from tenants.schemas import PUBLIC

logger = structlog.get_logger(__name__)

# How long a shop is kept after somebody asked for its deletion.
GRACE = timedelta(days=30)
# Seconds for which an answer is kept; a change replaces it at once.
KEPT_S = 300
# Seconds during which a Redis that failed isn't asked again, so that each request doesn't wait for its time-out.
_PAUSE_S = 5.0
_MISSING = b"null"


class HostKind(StrEnum):
    """What a host is for."""

    SITE = "site"
    TENANT = "tenant"
    API = "api"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant as requests and tasks need it: where its data is, what it is called, in which state it is.

    It stands for the tenant at the connection (django_tenants needs `schema_name`), and travels as JSON.
    """

    id: UUID
    schema_name: str
    slug: str
    name: str
    currency: str
    timezone: str
    country: str
    primary_host: str
    is_suspended: bool
    suspension_reason: str
    deletion_requested_at: datetime | None
    remarks_pattern: str = ""
    stale_after_days: int = settings_schema.STALE_AFTER_DAYS
    identifies_photos: bool = True
    buyer_retention_months: int = 0
    address: tuple[str, ...] = ()
    vat_text: str = ""
    document_text: str = ""
    slip_paper: str = settings_schema.SLIP_PAPER
    has_slip_pictures: bool = True

    @classmethod
    def of(cls, tenant: Tenant, *, primary_host: str) -> Self:
        """Answer what is needed of the row."""
        chosen = settings_schema.read(tenant.settings)
        return cls(
            id=tenant.id,
            schema_name=str(tenant.schema_name),
            slug=tenant.slug,
            name=tenant.name,
            currency=tenant.currency,
            timezone=tenant.timezone,
            country=str(tenant.country),
            primary_host=primary_host,
            is_suspended=tenant.is_suspended,
            suspension_reason=tenant.suspension_reason,
            deletion_requested_at=tenant.deletion_requested_at,
            remarks_pattern=chosen.remarks_pattern,
            stale_after_days=chosen.stale_after_days,
            identifies_photos=chosen.identifies_photos,
            buyer_retention_months=chosen.buyer_retention_months,
            address=chosen.address.lines,
            vat_text=chosen.vat_text,
            document_text=chosen.document_text,
            slip_paper=chosen.slip_paper,
            has_slip_pictures=chosen.has_slip_pictures,
        )

    @classmethod
    def from_json(cls, text: bytes) -> Self | None:
        """Read what `to_json` wrote; None is a name that leads nowhere."""
        values = json.loads(text)
        if values is None:
            return None
        moment = values["deletion_requested_at"]
        values["deletion_requested_at"] = datetime.fromisoformat(moment) if moment else None
        values["address"] = tuple(values.get("address", ()))
        return cls(**{**values, "id": UUID(values["id"])})

    @property
    def delete_on(self) -> datetime | None:
        """Answer when the shop goes, if somebody asked for that."""
        return self.deletion_requested_at + GRACE if self.deletion_requested_at else None

    def to_json(self) -> bytes:
        """Write it for Redis."""
        return json.dumps(asdict(self), default=str).encode()


# --- Hosts ----------------------------------------------------------------------------------------------------------


def host_of(slug: str) -> str:
    """Answer the host that a slug gives, without port."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def with_port(host: str) -> str:
    """Answer a host as people type it: with the port under which we are reached, if it is an unusual one."""
    usual = {"https": 443, "http": 80}[settings.PUBLIC_SCHEME]
    return host if usual == settings.PUBLIC_PORT else f"{host}:{settings.PUBLIC_PORT}"


def url_of(host: str, path: str = "/") -> str:
    """Answer the address of a path on a host."""
    return f"{settings.PUBLIC_SCHEME}://{with_port(host)}{path}"


def site_url(path: str = "/") -> str:
    """Answer an address of the public site."""
    return url_of(settings.BASE_DOMAIN, path)


def kind_of(host: str) -> HostKind:
    """Answer what a host (lower case, without port) is for as far as its name says; any other may be a shop's."""
    if host in (settings.BASE_DOMAIN, f"www.{settings.BASE_DOMAIN}"):
        return HostKind.SITE
    return HostKind.API if host == f"api.{settings.BASE_DOMAIN}" else HostKind.TENANT


@contextmanager
def urls_for(schema: str) -> Iterator[None]:
    """Make addresses inside the block as the host of that schema has them: a shop's, or our own."""
    before = get_urlconf()
    set_urlconf(settings.PUBLIC_SCHEMA_URLCONF if schema == PUBLIC else settings.ROOT_URLCONF)
    try:
        yield
    finally:
        set_urlconf(before)


@contextmanager
def within(shop: Shop) -> Iterator[None]:
    """See the shop's data and its host's URLs inside the block, as one of its own requests does."""
    with urls_for(shop.schema_name), tenant_context(shop):
        yield


# --- Look-up --------------------------------------------------------------------------------------------------------


class _Pause:
    """Remembers for this process until when Redis isn't asked."""

    until: float = 0.0


def ask_redis_again() -> None:
    """Forget that Redis was away."""
    _Pause.until = 0.0


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


def _with_redis(work: Callable[["redis.Redis"], Any]) -> Any:
    """Do the work with Redis; None where it is away, which only costs a query."""
    if time.monotonic() < _Pause.until:
        return None
    try:
        return work(_client(settings.REDIS_URL))
    except redis.RedisError as error:
        _Pause.until = time.monotonic() + _PAUSE_S
        logger.warning("routing.redis_away", error=type(error).__name__)
        return None


def _host_key(host: str) -> str:
    return f"host:{settings.DATABASES['default']['NAME']}:{host}"


def _schema_key(schema: str) -> str:
    return f"shop:{settings.DATABASES['default']['NAME']}:{schema}"


def _from_database(**condition: Any) -> Shop | None:
    """Look a shop up by `domain` or `tenant__schema_name`; one that isn't ready doesn't exist."""
    found = Domain.objects.select_related("tenant").filter(tenant__ready_at__isnull=False, **condition).first()
    if found is None:
        return None
    primary = (
        found.domain
        if found.is_primary
        else Domain.objects.values_list("domain", flat=True).get(tenant=found.tenant_id, is_primary=True)
    )
    return Shop.of(found.tenant, primary_host=primary)


def _look_up(key: str, **condition: Any) -> Shop | None:
    kept = _with_redis(lambda client: client.get(key))
    if kept is not None:
        return Shop.from_json(kept)
    shop = _from_database(**condition)
    # What an open transaction sees may never come true. What doesn't exist isn't kept: guessed names fill nothing.
    if shop is not None and not connection.in_atomic_block:
        # Only where nothing is: what a change has put there since we read is newer than ours.
        _with_redis(lambda client: client.set(key, shop.to_json(), ex=KEPT_S, nx=True))
    return shop


def tenant_for_host(host: str) -> Shop | None:
    """Answer the shop whose host that is (lower case, without port); None if no shop that is ready has it."""
    return _look_up(_host_key(host), domain=host)


def tenant_for_schema(schema: str) -> Shop | None:
    """Answer the shop whose data is in that schema; None if no shop that is ready has it."""
    return _look_up(_schema_key(schema), tenant__schema_name=schema, is_primary=True)


def remember(*, schema: str, hosts: list[str]) -> None:
    """After the commit, put what is true now in place of what was kept about the schema and the hosts."""

    def replace() -> None:
        shop = _from_database(tenant__schema_name=schema, is_primary=True)
        owned = set(Domain.objects.filter(tenant__schema_name=schema).values_list("domain", flat=True))

        def write(client: "redis.Redis") -> None:
            pipe = client.pipeline()
            present = shop.to_json() if shop else _MISSING
            pipe.set(_schema_key(schema), present, ex=KEPT_S)
            for host in owned | set(hosts):
                pipe.set(_host_key(host), present if host in owned else _MISSING, ex=KEPT_S)
            pipe.execute()

        _with_redis(write)

    transaction.on_commit(replace)

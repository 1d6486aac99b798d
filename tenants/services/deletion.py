"""The end of a shop: asked for by an owner, thirty days in which it can be taken back, then all of it goes."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction

from accounts import queries as people
from accounts.services import identify
from audit import context
from catalog import services as catalog
from common import actor, workspace
from common.errors import Invalid, NotAuthenticated, NotFound, PermissionDenied
from common.steps import step
from events.bus import publish
from notifications.services import queue_email
from tenants import queries, routing, schemas
from tenants.errors import NoDeletionRequested
from tenants.events import TenantDeletionCancelled, TenantDeletionRequested
from tenants.models import DeletedTenant, Domain, SignUp, Tenant
from tenants.services.settings import remember
from tenants.services.standing import shop_of

logger = structlog.get_logger(__name__)

# How long nobody else gets the address of a shop that is gone: links, mails and saved passwords still lead there.
RESTS = timedelta(days=90)


def _require_owner() -> None:
    """Pass if an owner acts, or the system; else raise PermissionDenied: neither roles nor keys can hand this on."""
    who = actor.current()
    if who.kind is actor.ActorKind.SYSTEM:
        return
    if who.kind is not actor.ActorKind.USER or not people.is_owner(who.id):
        raise PermissionDenied("Only an owner can do this.")


def _day(moment: datetime) -> str:
    local = moment.astimezone(workspace.current().zone)
    return f"{local.day} {local:%B %Y}"


def request_deletion(*, name: str, password: str, now: datetime) -> Tenant:
    """Have the shop at hand deleted when its grace period is over. Asking again changes nothing.

    Only an owner, who types the shop's name and his password. Raises PermissionDenied, Invalid, RateLimited.
    Not atomic as a whole: wrong passwords are counted.
    """
    _require_owner()
    tenant = queries.present_tenant()
    if " ".join(name.split()).casefold() != tenant.name.casefold():
        raise Invalid(errors={"/name": [f"Type the shop's name as it is: {tenant.name}"]})
    _confirm(password)
    return _request(now)


def _confirm(password: str) -> None:
    """Pass if the password is the acting owner's; tries are counted as those of signing in."""
    who = actor.current()
    if who.kind is not actor.ActorKind.USER:
        return
    try:
        identify(email=people.get_user(who.id).email, password=password)
    except NotAuthenticated:
        raise Invalid(errors={"/password": ["The password is wrong."]}) from None


@transaction.atomic
def _request(now: datetime) -> Tenant:
    context.describe("tenants.request_deletion")
    tenant = queries.present_tenant(lock=True)
    if tenant.deletion_requested_at is not None:
        return tenant
    tenant.deletion_requested_at = now
    tenant.version += 1
    tenant.save()
    delete_on = now + routing.GRACE
    publish(
        TenantDeletionRequested(tenant_id=tenant.id, delete_on=delete_on.isoformat(), requested_by=actor.current().name)
    )
    for owner in people.owners():
        queue_email(
            template_key="tenant_deletion_requested",
            to=owner.email,
            to_name=owner.display_name,
            context={
                "user_name": owner.display_name,
                "tenant_name": tenant.name,
                "delete_on": _day(delete_on),
                "settings_url": f"{workspace.current().url}/settings/data/",
                "requested_by": actor.current().name,
            },
            idempotency_key=f"tenant_deletion_requested:{tenant.version}:{owner.pk}",
            reference=("tenant", str(tenant.id)),
        )
    remember(tenant)
    return tenant


@transaction.atomic
def cancel_deletion() -> Tenant:
    """Keep the shop at hand after all. Raises PermissionDenied, or NoDeletionRequested."""
    _require_owner()
    context.describe("tenants.cancel_deletion")
    tenant = queries.present_tenant(lock=True)
    if tenant.deletion_requested_at is None:
        raise NoDeletionRequested
    tenant.deletion_requested_at = None
    tenant.version += 1
    tenant.save()
    publish(TenantDeletionCancelled(tenant_id=tenant.id, cancelled_by=actor.current().name))
    remember(tenant)
    return tenant


def cancel_deletion_of(*, tenant_id: UUID) -> Tenant:
    """Keep a shop after all, for our staff whom its owner has asked."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise NotFound("There is no such shop.")
    who = actor.current()
    with routing.within(shop_of(tenant)), actor.use(actor.Actor(kind=actor.ActorKind.SYSTEM, id=who.id, name=who.name)):
        return cancel_deletion()


def delete_due(*, now: datetime) -> int:
    """Delete every shop whose grace period is over, and the files of those deleted before; answer how many shops went.

    Each in a transaction of its own: killed anywhere, a shop is there or gone, and the next run does the rest. One that
    can't go now keeps no other from going.
    """
    count = 0
    for tenant_id in queries.due_for_deletion(now=now).values_list("pk", flat=True):
        try:
            count += _delete(tenant_id=tenant_id, now=now)
        except DatabaseError as error:
            logger.exception("tenants.undeleted", tenant_id=str(tenant_id), error=type(error).__name__)
    for gone in queries.with_files_left():
        try:
            _remove_files(gone.schema_name)
        except OSError as error:
            logger.exception("tenants.files_left", slug=gone.slug, error=type(error).__name__)
            continue
        step("tenants.files_removed")
        gone.files_removed_at = now
        gone.save(update_fields=["files_removed_at"])
    return count


@transaction.atomic
def _delete(*, tenant_id: UUID, now: datetime) -> bool:
    """Delete a shop for good, unless somebody took it back meanwhile, and tell its owners from the public queue."""
    context.describe("tenants.delete")
    tenant = queries.due_for_deletion(now=now).select_for_update().filter(pk=tenant_id).first()
    if tenant is None:
        return False
    with routing.within(shop_of(tenant)):
        owners = [(owner.pk, owner.email, owner.display_name) for owner in people.owners()]
        catalog.withdraw_all_mappings()
    hosts = list(Domain.objects.filter(tenant=tenant).values_list("domain", flat=True))
    schemas.drop(tenant.schema_name)
    step("tenants.schema_dropped")
    DeletedTenant.objects.create(
        schema_name=tenant.schema_name, slug=tenant.slug, hosts=hosts, deleted_at=now, reusable_at=now + RESTS
    )
    SignUp.objects.filter(tenant=tenant).delete()
    for key, email, display_name in owners:
        queue_email(
            template_key="tenant_deleted",
            to=email,
            to_name=display_name,
            context={"user_name": display_name, "tenant_name": tenant.name},
            idempotency_key=f"tenant_deleted:{tenant.pk}:{key}",
            reference=("tenant", str(tenant.pk)),
        )
    routing.remember(schema=tenant.schema_name, hosts=hosts)
    logger.info("tenants.deleted", slug=tenant.slug)
    tenant.delete()
    return True


def _remove_files(schema: str) -> None:
    """Remove what the apps keep for the shop: each has a folder of its own, and in it one for each shop."""
    areas, _ = default_storage.listdir("") if default_storage.exists("") else ([], [])
    for area in areas:
        _remove_folder(f"{area}/{schema}")


def _remove_folder(path: str) -> None:
    if not default_storage.exists(path):
        return
    folders, files = default_storage.listdir(path)
    for name in folders:
        _remove_folder(f"{path}/{name}")
    for name in files:
        default_storage.delete(f"{path}/{name}")
    default_storage.delete(path)

"""A shop's own roles: made, changed, deleted. System roles stay as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import roles as catalogue
from accounts.errors import RoleInUse, SystemRole
from accounts.events import RoleChanged
from accounts.models import Key, Role
from accounts.services import guards, sessions
from accounts.services.invitations import revoke_exceeding
from audit.context import describe
from common.errors import Invalid, NotFound
from events.bus import publish

MAX_NAME = 60


def _checked_name(name: str, *, besides: UUID | None = None) -> str:
    clean = " ".join(name.split())
    if not clean:
        raise Invalid(errors={"/name": ["A role needs a name."]})
    if len(clean) > MAX_NAME:
        raise Invalid(errors={"/name": [f"A name has at most {MAX_NAME} characters."]})
    labels = {label.lower() for label in catalogue.SYSTEM_LABELS.values()}
    taken = Role.objects.filter(name__iexact=clean)
    if besides:
        taken = taken.exclude(pk=besides)
    if taken.exists() or clean.lower() in labels:
        raise Invalid(errors={"/name": ["There is a role of that name."]})
    return clean


def _checked_permissions(permissions: Sequence[str]) -> list[str]:
    if unknown := catalogue.unknown(permissions):
        raise Invalid(errors={"/permissions": [f"There is no permission {', '.join(unknown)}."]})
    guards.require_grantable(permissions)
    return catalogue.in_order(permissions)


def _get_own(role_id: Key) -> Role:
    role = Role.objects.select_for_update(no_key=True).filter(pk=role_id).first()
    if role is None:
        raise NotFound
    if role.is_system:
        raise SystemRole
    return role


@transaction.atomic
def create_role(*, name: str, permissions: Sequence[str], role_id: UUID | None = None) -> Role:
    """Make a role of the shop's own. Raises Invalid, PermissionDenied. `role_id`: when it is put back."""
    describe("accounts.create_role")
    guards.lock_people()
    fields: dict[str, Any] = {"name": _checked_name(name), "permissions": _checked_permissions(permissions)}
    role = Role.objects.create(**fields, **({"id": role_id} if role_id else {}))
    publish(RoleChanged(role_id=str(role.pk), user_ids=()))
    return role


@transaction.atomic
def update_role(
    *,
    role_id: Key,
    now: datetime,
    name: str | None = None,
    permissions: Sequence[str] | None = None,
    keep_session: str | None = None,
) -> Role:
    """Change a role's name or permissions; what is None stays. Other permissions sign out who has the role,
    and invitations of theirs that give more than they still have are taken back.

    Raises SystemRole, Invalid, NotFound, PermissionDenied if the role has or gets what who acts lacks.
    """
    describe("accounts.update_role")
    guards.lock_people()
    role = _get_own(role_id)
    guards.require_grantable(role.permissions)
    if name is not None:
        role.name = _checked_name(name, besides=role.pk)
    wanted = role.permissions if permissions is None else _checked_permissions(permissions)
    differs = wanted != role.permissions
    role.permissions = wanted
    role.save(update_fields=["name", "permissions", "updated_at"])
    holders = list(role.users.all())
    if differs:
        for user in holders:
            sessions.end_credentials(user=user, now=now, keep_session=keep_session)
            revoke_exceeding(user, now=now)
    publish(RoleChanged(role_id=str(role.pk), user_ids=tuple(str(user.pk) for user in holders)))
    return role


@transaction.atomic
def delete_role(*, role_id: Key) -> None:
    """Delete a role that nobody has. Raises SystemRole, RoleInUse, NotFound, PermissionDenied."""
    describe("accounts.delete_role")
    guards.lock_people()
    role = _get_own(role_id)
    guards.require_grantable(role.permissions)
    users = role.users.count()
    invitations = role.invitations.filter(accepted_at__isnull=True, revoked_at__isnull=True).count()
    if users or invitations:
        raise RoleInUse(
            f"{_counted(users, 'user')} and {_counted(invitations, 'open invitation')} have the role {role.name}. "
            "Give them another one first.",
            users=users,
            invitations=invitations,
        )
    # Closed invitations name their roles for the record only; the history keeps that.
    for link in role.invitation_roles.all():
        link.delete()
    role.delete()
    publish(RoleChanged(role_id=str(role_id), user_ids=()))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

"""What can be asked about people: lists for the pages, facts for others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts import roles as catalogue
from accounts.choices import InvitationState
from accounts.models import Invitation, Key, RecoveryCode, RefreshToken, Role, Session, User
from accounts.sessions import digest
from common.errors import NotFound


# --- Rows -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RoleName:
    """A role as badges and ticks show it."""

    id: UUID
    name: str
    label: str
    is_system: bool


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as lists and his own page show him."""

    id: UUID
    email: str
    display_name: str
    roles: tuple[RoleName, ...]
    permissions: frozenset[str]
    is_active: bool
    has_second_factor: bool
    last_seen_at: datetime | None
    created_at: datetime

    @property
    def role_names(self) -> str:
        """Answer the roles in a row, as text."""
        return ", ".join(role.label for role in self.roles)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Something that a user is signed in with: a browser, or a device that holds tokens."""

    id: UUID
    kind: str
    label: str
    ip_address: str | None
    created_at: datetime
    last_seen_at: datetime
    is_present: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as the list shows it."""

    id: UUID
    email: str
    roles: tuple[RoleName, ...]
    permissions: frozenset[str]
    invited_by: str
    created_at: datetime
    expires_at: datetime
    state: InvitationState

    @property
    def role_names(self) -> str:
        """Answer the roles in a row, as text."""
        return ", ".join(role.label for role in self.roles)


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role as the matrix shows it."""

    id: UUID
    name: str
    label: str
    description: str
    permissions: frozenset[str]
    is_system: bool
    user_count: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey or security key of a user's."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a user has besides his password."""

    totp_since: datetime | None
    totp_used_at: datetime | None
    passkeys: tuple[Passkey, ...]
    recovery_codes_left: int
    recovery_codes_since: datetime | None

    @property
    def is_on(self) -> bool:
        """Tell whether a second factor is asked for."""
        return self.totp_since is not None or bool(self.passkeys)


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What a new shop has done about its people."""

    has_colleagues: bool
    has_second_factor: bool


# --- Users ----------------------------------------------------------------------------------------------------------
def active_owners() -> QuerySet[User]:
    """Answer the owners who can sign in."""
    return User.objects.filter(is_active=True, roles__name=catalogue.OWNER, roles__is_system=True)


def is_owner(user_id: Key) -> bool:
    """Tell whether the user is an owner who can sign in: what deleting the shop takes."""
    return active_owners().filter(pk=user_id).exists()


def owners() -> list[User]:
    """Answer the owners who can sign in, the first of them first."""
    return list(active_owners().order_by("created_at", "id"))


def users_who_can(permission: str) -> list[User]:
    """Answer the users who may sign in and have the permission, the first of them first."""
    found = User.objects.filter(is_active=True, roles__permissions__contains=[permission])
    return list(found.distinct().order_by("created_at", "id"))


def seats_taken(*, besides: UUID | None = None) -> int:
    """Answer how many users there are or will be: active ones and open invitations but `besides`."""
    invited = _open_invitations(timezone.now())
    if besides:
        invited = invited.exclude(pk=besides)
    return User.objects.filter(is_active=True).count() + invited.count()


_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def _rows(users: QuerySet[User]) -> list[UserRow]:
    seen = Session.objects.filter(user=OuterRef("pk")).values("user").annotate(at=Max("last_seen_at")).values("at")
    refreshed = (
        RefreshToken.objects.filter(user=OuterRef("pk")).values("user").annotate(at=Max("created_at")).values("at")
    )
    found = users.annotate(
        # Greatest leaves nulls out; last_login stays when sessions are gone.
        seen_at=Greatest(Subquery(seen), Subquery(refreshed), "last_login"),
    ).prefetch_related("roles")
    return [
        UserRow(
            id=user.pk,
            email=user.email,
            display_name=user.display_name,
            roles=role_names(user.roles.all()),
            permissions=frozenset(name for role in user.roles.all() for name in role.permissions),
            is_active=user.is_active,
            has_second_factor=bool(user.second_factors),
            last_seen_at=user.seen_at,
            created_at=user.created_at,
        )
        for user in found
    ]


def role_names(roles: Sequence[Role] | QuerySet[Role]) -> tuple[RoleName, ...]:
    """Answer roles as badges, system roles first and by rank, the others by name."""
    rank = list(catalogue.SYSTEM_ROLES)
    ordered = sorted(roles, key=lambda r: (not r.is_system, rank.index(r.name) if r.is_system else 0, r.name.lower()))
    return tuple(RoleName(role.pk, role.name, role.label, role.is_system) for role in ordered)


def users_matching(*, text: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """Answer users by name or address, by role (name or id) and by state (`active`, `inactive`), ordered by name."""
    users = User.objects.order_by("display_name", "email", "id")
    for word in text.split():
        users = users.filter(Q(display_name__icontains=word) | Q(email__icontains=word))
    if role:
        with_role = Role.objects.filter(Q(pk=role) if _is_uuid(role) else Q(name=role))
        users = users.filter(roles__in=with_role).distinct()
    return users.filter(is_active=state == "active") if state else users


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def rows_of(users: Sequence[User]) -> list[UserRow]:
    """Answer the users as rows, in the same order."""
    rows = {row.id: row for row in _rows(User.objects.filter(pk__in=[user.pk for user in users]))}
    return [rows[user.pk] for user in users]


def list_users(users: QuerySet[User], *, first: int, count: int) -> tuple[list[UserRow], int]:
    """Answer a page of the users as rows, and how many there are in all."""
    return _rows(users[first : first + count]), users.count()


def find_users(text: str, *, limit: int) -> list[User]:
    """Answer the first active users whose name or address has all the words."""
    return list(users_matching(text=text, state="active")[:limit])


def get_user(user_id: Key) -> UserRow:
    """Answer one user; raises NotFound."""
    rows = _rows(User.objects.filter(pk=user_id))
    if not rows:
        raise NotFound
    return rows[0]


def find_active_user(user_id: Key) -> User | None:
    """Answer the user, or None where he is gone or may sign in no more."""
    return User.objects.filter(pk=user_id, is_active=True).first()


_FIRST_STEPS = """
SELECT EXISTS (SELECT FROM {users} WHERE id <> %(user_id)s) OR EXISTS (SELECT FROM {invitations}),
  EXISTS (SELECT FROM {authenticators} WHERE user_id = %(user_id)s AND type = ANY(%(factors)s))
"""


def first_steps(*, user_id: Key) -> FirstSteps:
    """Answer what has been done about the shop's people, seen by one user."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FIRST_STEPS.format(
                users=User._meta.db_table,
                invitations=Invitation._meta.db_table,
                authenticators=Authenticator._meta.db_table,
            ),
            {"user_id": user_id, "factors": list(_FACTORS)},
        )
        has_colleagues, has_second_factor = cursor.fetchone()
    return FirstSteps(has_colleagues=has_colleagues, has_second_factor=has_second_factor)


# --- Sessions -------------------------------------------------------------------------------------------------------
def sessions_of(
    *, user_id: Key, now: datetime, present_key: str | None = None, present_id: str = ""
) -> list[SessionRow]:
    """Answer what a user is signed in with, the present one first, then the newest.

    `present_key`: the cookie's key; `present_id`: or the public id of what asks.
    """
    present = digest(present_key) if present_key else ""
    browsers = [
        SessionRow(
            id=session.public_id,
            kind="browser",
            label=describe_agent(session.user_agent),
            ip_address=session.ip_address,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            is_present=session.session_key == present,
        )
        for session in Session.objects.filter(user_id=user_id, expire_date__gt=now)
    ]
    families = (
        RefreshToken.objects.filter(user_id=user_id, revoked_at__isnull=True, expires_at__gt=now)
        .order_by("family_id", "-created_at")
        .distinct("family_id")
    )
    beginnings = RefreshToken.objects.filter(user_id=user_id).values("family_id").annotate(at=Min("created_at"))
    began = {row["family_id"]: row["at"] for row in beginnings}
    devices = [
        SessionRow(
            id=token.family_id,
            kind="device",
            label=token.device_name or "Program",
            ip_address=token.ip_address,
            created_at=began[token.family_id],
            last_seen_at=token.created_at,
            is_present=str(token.family_id) == present_id,
        )
        for token in families
    ]
    return sorted([*browsers, *devices], key=lambda row: (not row.is_present, -row.last_seen_at.timestamp()))


_BROWSERS = (
    ("Edge", r"Edg(?:A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"(?:Firefox|FxiOS)/"),
    ("Chrome", r"(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)


def describe_agent(user_agent: str) -> str:
    """Answer what people call a browser by its User-Agent header: `Chrome on Windows`."""
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent.partition("/")[0][:40] or "Unknown browser"


# --- Second factor --------------------------------------------------------------------------------------------------
def second_factors(*, user_id: Key) -> SecondFactors:
    """Answer what a user has besides his password."""
    authenticators = list(Authenticator.objects.filter(user_id=user_id, type__in=_FACTORS).order_by("created_at"))
    totp = next((each for each in authenticators if each.type == Authenticator.Type.TOTP), None)
    codes = RecoveryCode.objects.filter(user_id=user_id).aggregate(
        left=Count("pk", filter=Q(used_at__isnull=True)), since=Max("created_at")
    )
    return SecondFactors(
        totp_since=totp.created_at if totp else None,
        totp_used_at=totp.last_used_at if totp else None,
        passkeys=tuple(
            Passkey(id=each.pk, name=each.wrap().name, created_at=each.created_at, last_used_at=each.last_used_at)
            for each in authenticators
            if each.type == Authenticator.Type.WEBAUTHN
        ),
        recovery_codes_left=codes["left"],
        recovery_codes_since=codes["since"],
    )


# --- Invitations ----------------------------------------------------------------------------------------------------
def _open_invitations(now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)


def state_of(invitation: Invitation, *, now: datetime) -> InvitationState:
    """Answer where an invitation stands."""
    if invitation.accepted_at:
        return InvitationState.ACCEPTED
    if invitation.revoked_at:
        return InvitationState.REVOKED
    return InvitationState.OPEN if invitation.expires_at > now else InvitationState.EXPIRED


def invitations(*, with_closed: bool = False) -> QuerySet[Invitation]:
    """Answer invitations, newest first: those that can still be accepted or sent again, or all."""
    found = Invitation.objects.order_by("-created_at", "-id").select_related("invited_by").prefetch_related("roles")
    return found if with_closed else found.filter(accepted_at__isnull=True, revoked_at__isnull=True)


def list_invitations(*, now: datetime, with_closed: bool, limit: int) -> list[InvitationRow]:
    """Answer the newest invitations as rows."""
    return [invitation_row(invitation, now=now) for invitation in invitations(with_closed=with_closed)[:limit]]


def invitation_row(invitation: Invitation, *, now: datetime) -> InvitationRow:
    """Answer an invitation as a row."""
    return InvitationRow(
        id=invitation.pk,
        email=invitation.email,
        roles=role_names(invitation.roles.all()),
        permissions=frozenset(name for role in invitation.roles.all() for name in role.permissions),
        invited_by=str(invitation.invited_by or "Brikonnect"),
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
        state=state_of(invitation, now=now),
    )


def get_invitation(invitation_id: Key) -> Invitation:
    """Answer an invitation with who sent it; raises NotFound."""
    invitation = Invitation.objects.select_related("invited_by").filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    return invitation


# --- Roles ----------------------------------------------------------------------------------------------------------
def list_roles() -> list[RoleRow]:
    """Answer all roles: system roles by rank, then the shop's own by name."""
    rank = list(catalogue.SYSTEM_ROLES)
    found = Role.objects.annotate(user_count=Count("user_roles"))
    ordered = sorted(found, key=lambda r: (not r.is_system, rank.index(r.name) if r.is_system else 0, r.name.lower()))
    return [_role_row(role, role.user_count) for role in ordered]


def _role_row(role: Role, user_count: int) -> RoleRow:
    return RoleRow(
        id=role.pk,
        name=role.name,
        label=role.label,
        description=catalogue.DESCRIPTIONS.get(role.name, "") if role.is_system else "",
        permissions=frozenset(role.permissions),
        is_system=role.is_system,
        user_count=user_count,
    )


def get_role(role_id: Key) -> RoleRow:
    """Answer one role; raises NotFound."""
    role = Role.objects.annotate(user_count=Count("user_roles")).filter(pk=role_id).first()
    if role is None:
        raise NotFound
    return _role_row(role, role.user_count)

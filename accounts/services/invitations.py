"""Invitations: sent, sent again, taken back, accepted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import InvitationClosed
from accounts.events import UserInvited, UserJoined
from accounts.models import Invitation, InvitationRole, Key, User
from accounts.services import guards
from audit.context import describe
from common import actor, workspace
from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id
from events.bus import publish

LIFE = timedelta(days=7)


def _signer() -> Signer:
    # A link of one shop opens nothing in another, even if ids were equal.
    return Signer(salt=f"accounts.invitation:{workspace.current_key()}")


def invitation_token(invitation: Invitation) -> str:
    """Answer what an invitation's link carries; the same each time, good as long as the invitation is."""
    return _signer().sign(invitation.pk.hex)


def invitation_url(invitation: Invitation) -> str:
    """Answer the whole address of the page where the invitation is accepted."""
    return workspace.current().url + reverse("accounts:join", args=[invitation_token(invitation)])


def find_invitation(*, token: str, now: datetime, lock: bool = False) -> Invitation:
    """Answer the open invitation of a link; raises InvitationClosed that says why there is none."""
    try:
        key = UUID(_signer().unsign(token))
    except (BadSignature, ValueError):
        raise InvitationClosed("unknown") from None
    found = Invitation.objects.select_for_update(no_key=True) if lock else Invitation.objects
    invitation = found.filter(pk=key).first()
    if invitation is None:
        raise InvitationClosed("unknown")
    if reason := _closed(invitation, now):
        raise InvitationClosed(reason)
    return invitation


def _closed(invitation: Invitation, now: datetime) -> str:
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "revoked"
    return "expired" if invitation.expires_at <= now else ""


@transaction.atomic
def invite_user(*, email: str, roles: Sequence[object], now: datetime) -> Invitation:
    """Invite an address with roles (names or ids); the mail goes out after the commit.

    Raises Invalid for an address that is none, is a user's or has an open invitation, PermissionDenied for roles with
    more than who acts has, EditionRequired where the edition has no room.
    """
    from accounts.services.users import normalized  # noqa: PLC0415  # users take back invitations, invitations make users

    describe("accounts.invite_user")
    address = normalized(email)
    guards.lock_people()
    found = guards.get_roles(roles)
    if not found:
        raise Invalid(errors={"/roles": ["Choose at least one role."]})
    guards.require_grantable(name for role in found for name in role.permissions)
    if User.objects.filter(email=address).exists():
        raise Invalid(errors={"/email": ["Somebody with this address is here already."]})
    earlier = Invitation.objects.filter(email=address, accepted_at__isnull=True, revoked_at__isnull=True).first()
    if earlier and not _closed(earlier, now):
        raise Invalid(errors={"/email": ["This address has an open invitation. Send that one again."]})
    guards.require_seat()
    if earlier:
        _revoke(earlier, now)
    invitation = Invitation.objects.create(email=address, invited_by=_inviter(), expires_at=now + LIFE)
    for role in found:
        InvitationRole.objects.create(invitation=invitation, role=role)
    _publish(invitation)
    return invitation


def _inviter() -> User | None:
    who = actor.current()
    return User.objects.filter(pk=who.id).first() if who.kind is actor.ActorKind.USER and who.id else None


def _publish(invitation: Invitation) -> None:
    publish(UserInvited(invitation_id=str(invitation.pk), sending=str(invitation.sent_count)))


def _get_open(invitation_id: Key) -> Invitation:
    invitation = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    if invitation.accepted_at or invitation.revoked_at:
        raise Conflict("This invitation is closed already.")
    return invitation


@transaction.atomic
def resend_invitation(*, invitation_id: Key, now: datetime) -> Invitation:
    """Mail an open or expired invitation again, with its full time.

    Raises NotFound, Conflict, PermissionDenied, EditionRequired.
    """
    describe("accounts.resend_invitation")
    guards.lock_people()
    invitation = _get_open(invitation_id)
    guards.require_grantable(name for role in invitation.roles.all() for name in role.permissions)
    guards.require_seat(besides=invitation.pk)
    invitation.expires_at = now + LIFE
    invitation.sent_count += 1
    invitation.save(update_fields=["expires_at", "sent_count", "updated_at"])
    _publish(invitation)
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation_id: Key, now: datetime) -> Invitation:
    """Take an invitation back: its link says so from now on. Raises NotFound, Conflict if it is closed."""
    describe("accounts.revoke_invitation")
    guards.lock_people()
    invitation = _get_open(invitation_id)
    _revoke(invitation, now)
    return invitation


@transaction.atomic
def restore_invitation(*, invitation_id: Key, now: datetime, revoked_at: datetime | None) -> Invitation:
    """Put back whether an invitation was revoked.

    Raises Conflict if it was accepted or the address has another one, PermissionDenied, EditionRequired.
    """
    describe("accounts.restore_invitation")
    guards.lock_people()
    invitation = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_id).first()
    if invitation is None:
        raise NotFound
    if invitation.accepted_at:
        raise Conflict("It was accepted already.")
    if revoked_at is None:
        guards.require_grantable(name for role in invitation.roles.all() for name in role.permissions)
        others = Invitation.objects.filter(email=invitation.email, accepted_at__isnull=True, revoked_at__isnull=True)
        if others.exclude(pk=invitation.pk).exists() or User.objects.filter(email=invitation.email).exists():
            raise Conflict("This address has another invitation, or joined already.")
        if invitation.expires_at > now:
            guards.require_seat(besides=invitation.pk)
    invitation.revoked_at = revoked_at
    invitation.save(update_fields=["revoked_at", "updated_at"])
    return invitation


def _revoke(invitation: Invitation, now: datetime) -> None:
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at", "updated_at"])


def revoke_exceeding(user: User, *, now: datetime) -> None:
    """Take back the open invitations by a user who can no longer give what they give. Part of changing his roles."""
    has = {name for role in user.roles.all() for name in role.permissions} if user.is_active else set()
    invitations = Invitation.objects.filter(invited_by=user, accepted_at__isnull=True, revoked_at__isnull=True)
    for invitation in invitations.prefetch_related("roles"):
        gives = {name for role in invitation.roles.all() for name in role.permissions}
        if "users:invite" not in has or not gives <= has:
            _revoke(invitation, now)


@transaction.atomic
def accept_invitation(*, token: str, display_name: str, password: str, now: datetime | None = None) -> User:
    """Make the invited user, whose address is proved by the link; the password was checked by the caller's form.

    Raises InvitationClosed, Invalid (the address became a user meanwhile), EditionRequired.
    """
    from accounts.services.users import insert_user  # noqa: PLC0415  # see invite_user

    describe("accounts.accept_invitation")
    moment = now or timezone.now()
    guards.lock_people()
    invitation = find_invitation(token=token, now=moment, lock=True)
    guards.require_seat(besides=invitation.pk)
    newcomer = actor.Actor(kind=actor.ActorKind.USER, id=str(new_id()), name=display_name or invitation.email)
    with actor.use(newcomer):
        invitation.accepted_at = moment
        invitation.save(update_fields=["accepted_at", "updated_at"])
        user = insert_user(
            email=invitation.email,
            display_name=display_name,
            roles=list(invitation.roles.all()),
            password=password,
            is_verified=True,
            user_id=UUID(newcomer.id),
        )
    publish(UserJoined(user_id=str(user.pk), invitation_id=str(invitation.pk)))
    return user

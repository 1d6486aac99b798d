"""Ending what a user is signed in with: sessions of browsers, families of refresh tokens."""

from datetime import datetime

import structlog
from django.db import transaction

from accounts import tokens
from accounts.models import Key, RefreshToken, Session, User
from accounts.services import guards
from accounts.sessions import SessionStore, digest
from common import actor
from common.errors import NotFound, PermissionDenied

logger = structlog.get_logger(__name__)


def end_credentials(*, user: User, now: datetime, keep_session: str | None = None) -> None:
    """End all of the user's sessions and refresh tokens. `keep_session`: key of the session that does it."""
    others = user.sessions.exclude(session_key=digest(keep_session)) if keep_session else user.sessions.all()
    others.delete()
    tokens.end_families(user_id=user.pk, now=now)


@transaction.atomic
def end_session(*, public_id: Key, now: datetime) -> None:
    """Sign a browser or a device out: one's own, or with users:write that of somebody who has no more than oneself.

    `public_id` is a session's public id or a token family's. Raises NotFound, PermissionDenied.
    """
    session = Session.objects.filter(public_id=public_id, user__isnull=False).select_related("user").first()
    issued = RefreshToken.objects.filter(family_id=public_id)
    first = None if session else issued.select_related("user").first()
    user = session.user if session else first.user if first else None
    if user is None:
        raise NotFound
    _require_may_sign_out(user)
    if session:
        session.delete()
    if first:
        tokens.end_family(family_id=first.family_id, user_id=user.pk, now=now)
    logger.info("accounts.session_ended", of_user_id=str(user.pk))


@transaction.atomic
def end_other_sessions(*, user_id: Key, now: datetime, keep_session: str | None = None) -> int:
    """Sign a user out everywhere but for the session whose key is given; answer in how many places that was."""
    user = guards.get_user(user_id)
    _require_may_sign_out(user)
    others = user.sessions.exclude(session_key=digest(keep_session)) if keep_session else user.sessions.all()
    families = user.refresh_tokens.filter(revoked_at__isnull=True, expires_at__gt=now)
    count = others.filter(expire_date__gt=now).count() + families.values("family_id").distinct().count()
    end_credentials(user=user, now=now, keep_session=keep_session)
    logger.info("accounts.sessions_ended", of_user_id=str(user.pk), count=count)
    return count


def _require_may_sign_out(user: User) -> None:
    who = actor.current()
    if str(user.pk) == who.id:
        return
    if not who.can("users:write"):
        # Others' sessions don't exist for one who may not end them.
        raise NotFound
    try:
        guards.require_over(user)
    except PermissionDenied as error:
        raise PermissionDenied(f"{user} may do more than you, so only they can end it.", **error.extra) from error


def clear_expired(*, now: datetime) -> int:
    """Delete sessions and refresh tokens that ended; answer how many."""
    SessionStore.clear_expired()
    deleted, _ = RefreshToken.objects.filter(family_expires_at__lte=now).delete()
    return deleted

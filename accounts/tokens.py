"""JWT pairs: an access token for 15 minutes, and a refresh token that buys the next pair once.

Every token names its shop, since the key they are signed with is no wall between shops (stack.md, trap 1). A family is
a chain of refresh tokens that began with one sign-in; a spent one that is shown again ends it, whoever shows it
(reliability.md, checks 12 to 14).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import jwt
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from accounts.models import RefreshToken, User
from common import actor, workspace
from common.errors import NotAuthenticated
from common.ids import new_id

logger = structlog.get_logger(__name__)

ISSUER = "brikonnect"
AUDIENCE = "brikonnect-api"
ALGORITHM = "HS256"
FAMILY_LIFETIME = timedelta(days=90)
_DEVICE_LENGTH = 200
_CLAIMS = ["iss", "aud", "typ", "tenant", "sub", "fam", "jti", "iat", "nbf", "exp"]
_ACCESS, _REFRESH = "access", "refresh"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a sign-in or a refresh answers. `expires_in`: seconds of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says, after its signature, type, audience, times and shop were found good."""

    user_id: UUID
    family_id: UUID
    jti: UUID
    issued_at: datetime
    expires_at: datetime


@cache
def _key(secret: str) -> bytes:
    return salted_hmac("accounts.tokens", "signing key", secret=secret, algorithm="sha256").digest()


def _sign(kind: str, *, user_id: UUID, family_id: UUID, jti: UUID, now: datetime, expires_at: datetime) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": kind,
        "tenant": workspace.current_key(),
        "sub": str(user_id),
        "fam": str(family_id),
        "jti": str(jti),
        # With its fraction: a token made in the second of a password change must be told from one made before it.
        "iat": now.timestamp(),
        "nbf": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(claims, _key(settings.SECRET_KEY), algorithm=ALGORITHM)


def _decode(token: str, kind: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(settings.SECRET_KEY),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": _CLAIMS},
        )
    except jwt.ExpiredSignatureError as error:
        raise NotAuthenticated("The token has expired.") from error
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as error:
        raise NotAuthenticated("The token is not valid.") from error
    if claims["typ"] != kind:
        raise NotAuthenticated("The token is not valid.")
    return claims


def workspace_key_of(token: str) -> str | None:
    """Answer the key of the shop that a token of ours (access or refresh) belongs to, or None if it isn't good.

    Where the host names no shop (the API's own), this is how a request finds it; nothing else of the token is trusted
    before `read` has compared the shop.
    """
    for kind in (_ACCESS, _REFRESH):
        try:
            return str(_decode(token, kind)["tenant"])
        except NotAuthenticated:
            continue
    return None


def read(token: str, *, kind: str = _ACCESS) -> Claims:
    """Answer what the token says; raises NotAuthenticated unless it is ours, of this kind and shop, and in time."""
    claims = _decode(token, kind)
    if claims["tenant"] != workspace.current_key():
        raise NotAuthenticated("The token is not valid.")
    try:
        return Claims(
            user_id=UUID(claims["sub"]),
            family_id=UUID(claims["fam"]),
            jti=UUID(claims["jti"]),
            issued_at=datetime.fromtimestamp(claims["iat"], tz=UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], tz=UTC),
        )
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise NotAuthenticated("The token is not valid.") from error


def _alive(family_id: UUID) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(family_id=family_id, revoked_at__isnull=True)


def _issue(*, user_id: UUID, family_id: UUID, family_expires_at: datetime, device_name: str, now: datetime) -> Pair:
    expires_at = min(now + settings.REFRESH_TOKEN_LIFETIME, family_expires_at)
    row = RefreshToken.objects.create(
        jti=new_id(),
        family_id=family_id,
        user_id=user_id,
        device_name=device_name[:_DEVICE_LENGTH],
        ip_address=actor.origin().ip_address,
        expires_at=expires_at,
        family_expires_at=family_expires_at,
    )
    access_until = min(now + settings.ACCESS_TOKEN_LIFETIME, family_expires_at)
    return Pair(
        access_token=_sign(
            _ACCESS, user_id=user_id, family_id=family_id, jti=new_id(), now=now, expires_at=access_until
        ),
        refresh_token=_sign(
            _REFRESH, user_id=user_id, family_id=family_id, jti=row.jti, now=now, expires_at=expires_at
        ),
        expires_in=int((access_until - now).total_seconds()),
    )


@transaction.atomic
def issue_pair(*, user: User, device_name: str, now: datetime) -> Pair:
    """Begin a family for a user whose identity has been proved; answer its first pair.

    Raises NotAuthenticated where the password that proved it was changed, or the user switched off, since then.
    """
    # Held, so that a change that is just being made waits and ends this family too, or was made and is seen here.
    present = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).first()
    if present is None or present.password != user.password:
        raise NotAuthenticated("The account has changed meanwhile. Sign in again.")
    return _issue(
        user_id=user.pk, family_id=new_id(), family_expires_at=now + FAMILY_LIFETIME, device_name=device_name, now=now
    )


def rotate(*, refresh_token: str, now: datetime) -> Pair:
    """Spend a refresh token and answer the next pair.

    Raises NotAuthenticated for anything else than a live token. One that was spent before ends its family, and so does
    one issued before the user's credentials changed; that is committed although the answer is a refusal.
    """
    claims = read(refresh_token, kind=_REFRESH)
    with transaction.atomic():
        pair = _rotate_locked(claims, now)
    if pair is None:
        raise NotAuthenticated("The token is not valid.")
    return pair


def _rotate_locked(claims: Claims, now: datetime) -> Pair | None:
    # The family's first row stands for the family: who holds it is alone with all of its tokens.
    root = RefreshToken.objects.select_for_update().filter(family_id=claims.family_id).order_by("id").first()
    row = RefreshToken.objects.filter(jti=claims.jti, family_id=claims.family_id).select_related("user").first()
    if root is None or row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    user = row.user
    changed_at = user.credentials_changed_at
    if row.spent_at is not None:
        logger.warning("tokens.reused", user_id=str(user.pk), family_id=str(row.family_id))
        _alive(row.family_id).update(revoked_at=now)
        return None
    if not user.is_active or (changed_at is not None and row.created_at < changed_at):
        _alive(row.family_id).update(revoked_at=now)
        return None
    RefreshToken.objects.filter(pk=row.pk).update(spent_at=now)
    return _issue(
        user_id=user.pk,
        family_id=row.family_id,
        family_expires_at=row.family_expires_at,
        device_name=row.device_name,
        now=now,
    )


@transaction.atomic
def end_family(*, family_id: UUID, user_id: UUID, now: datetime) -> bool:
    """End a family of the user's, access tokens included; tell whether there was one to end."""
    RefreshToken.objects.select_for_update().filter(family_id=family_id).order_by("id").first()
    return bool(_alive(family_id).filter(user_id=user_id).update(revoked_at=now))


@transaction.atomic
def end_families(*, user_id: UUID, now: datetime) -> None:
    """End all families of the user's, access tokens included."""
    alive = RefreshToken.objects.filter(user_id=user_id, revoked_at__isnull=True)
    # A token is being spent meanwhile: wait for the one that it buys, which an update that has begun wouldn't see.
    list(alive.select_for_update().order_by("id").values_list("pk"))
    alive.update(revoked_at=now)


def revoke(*, refresh_token: str, now: datetime) -> None:
    """End the family of a refresh token; one that isn't good is no error (RFC 7009, section 2.2)."""
    try:
        claims = read(refresh_token, kind=_REFRESH)
    except NotAuthenticated:
        return
    end_family(family_id=claims.family_id, user_id=claims.user_id, now=now)

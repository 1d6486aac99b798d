"""Codes of the second factor: each is good once, whether it comes from the app or from the list of recovery codes."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import Key, RecoveryCode, User
from accounts.services import guards, sessions
from audit.context import describe
from common.errors import Conflict, Invalid, NotFound

logger = structlog.get_logger(__name__)

APP = "Authenticator app"
MAX_NAME = 100
CODES = 10
_GROUPS, _GROUP = 4, 6
# Without what is easily misread: 0 o, 1 l i. 31 letters make 24 places hold 118 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def _normal(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _digest(code: str) -> str:
    return hashlib.sha256(_normal(code).encode()).hexdigest()


@transaction.atomic
def create_recovery_codes(*, user: User) -> list[str]:
    """Make a fresh set of codes in place of the old one, and answer them: the only time that anybody sees them."""
    describe("accounts.create_recovery_codes")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.recovery_codes.all().delete()
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(CODES)
    ]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=_digest(code)) for code in codes)
    logger.info("accounts.recovery_codes_created", of_user_id=str(user.pk))
    return codes


def spend_code(*, user: User, code: str, now: datetime | None = None) -> Authenticator | None:
    """Take a code of the app or a recovery code; answer the authenticator that it stands for, None if it isn't good.

    Whichever it is, the same code isn't taken a second time.
    """
    moment = now or timezone.now()
    authenticators = Authenticator.objects.filter(user_id=user.pk)
    return _spend_totp(authenticators, code) or _spend_recovery_code(user, authenticators, code, moment)


def totp_counter(secret: str, code: str) -> int | None:
    """Answer the time step for which the code is right at present, or None."""
    digits = _normal(code)
    counter: int
    for counter in yield_hotp_counters_from_time():
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), digits):
            return counter
    return None


@transaction.atomic
def _spend_totp(authenticators: "QuerySet[Authenticator]", code: str) -> Authenticator | None:
    authenticator = authenticators.select_for_update().filter(type=Authenticator.Type.TOTP).first()
    if authenticator is None:
        return None
    counter = totp_counter(decrypt(authenticator.data["secret"]), code)
    # A step once used is over, and so are those before it (RFC 6238, section 5.2).
    if counter is None or counter <= authenticator.data.get("last_counter", -1):
        return None
    authenticator.data["last_counter"] = counter
    authenticator.save(update_fields=["data"])
    return authenticator


def _spend_recovery_code(
    user: User, authenticators: "QuerySet[Authenticator]", code: str, now: datetime
) -> Authenticator | None:
    spent = RecoveryCode.objects.filter(user=user, code_hash=_digest(code), used_at__isnull=True).update(used_at=now)
    if not spent:
        return None
    logger.warning("accounts.recovery_code_used", of_user_id=str(user.pk))
    return authenticators.exclude(type=Authenticator.Type.RECOVERY_CODES).order_by("created_at").first()


@transaction.atomic
def activate_totp(*, user: User, secret: str, counter: int) -> None:
    """Turn the authenticator app on; `counter` is the time step whose code has just proved the secret, so it is spent.

    Raises Conflict if there is one already.
    """
    describe("accounts.activate_authenticator_app")
    _lock(user)
    if Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists():
        raise Conflict("The authenticator app is on already.")
    authenticator = TOTP.activate(user, secret).instance
    authenticator.data["last_counter"] = counter
    authenticator.save(update_fields=["data"])
    _record(user)


@transaction.atomic
def add_passkey(*, user: User, name: str, credential: dict[str, Any]) -> None:
    """Keep a passkey whose registration was verified."""
    describe("accounts.add_passkey")
    _lock(user)
    WebAuthn.add(user, name[:MAX_NAME], credential)
    _record(user)


@transaction.atomic
def rename_passkey(*, user: User, passkey_id: int, name: str) -> None:
    """Call a passkey something else. Raises NotFound, Invalid."""
    describe("accounts.rename_passkey")
    _lock(user)
    passkey = _get(user, type=Authenticator.Type.WEBAUTHN, pk=passkey_id)
    if not name.strip():
        raise Invalid(errors={"/name": ["A passkey needs a name."]})
    passkey.data["name"] = name.strip()[:MAX_NAME]
    passkey.save(update_fields=["data"])
    _record(user)


@transaction.atomic
def remove_passkey(*, user: User, passkey_id: int) -> None:
    """Take a passkey away; recovery codes go with the last second factor. Raises NotFound."""
    describe("accounts.remove_passkey")
    _lock(user)
    _get(user, type=Authenticator.Type.WEBAUTHN, pk=passkey_id).delete()
    _record(user)


@transaction.atomic
def deactivate_totp(*, user: User) -> None:
    """Turn the authenticator app off; recovery codes go with the last second factor. Raises NotFound."""
    describe("accounts.deactivate_authenticator_app")
    _lock(user)
    _get(user, type=Authenticator.Type.TOTP).delete()
    _record(user)


@transaction.atomic
def reset_second_factor(*, user_id: Key, now: datetime) -> User:
    """Take a colleague's second factor away who lost it and his codes; he signs in anew with his password.

    Raises PermissionDenied if he may do more than who acts, NotFound.
    """
    describe("accounts.reset_second_factor")
    user = guards.get_user(user_id, lock=True)
    guards.require_over(user)
    Authenticator.objects.filter(user_id=user.pk).delete()
    _record(user)
    sessions.end_credentials(user=user, now=now)
    return user


def _lock(user: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _get(user: User, **what: Any) -> Authenticator:
    found = Authenticator.objects.filter(user_id=user.pk, **what).first()
    if found is None:
        raise NotFound
    return found


def _record(user: User) -> None:
    """Write down what the user has now; without any second factor his recovery codes would stand for nothing."""
    present = Authenticator.objects.filter(user_id=user.pk).order_by("type", "created_at")
    user.second_factors = [
        APP if each.type == Authenticator.Type.TOTP else f"Passkey {each.data['name']}" for each in present
    ]
    user.save(update_fields=["second_factors", "updated_at"])
    if not user.second_factors:
        user.recovery_codes.all().delete()

"""The way in: who is at the door, how often he may knock, links that open it once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth import authenticate
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts.errors import TicketSpent
from accounts.events import PasswordResetRequested
from accounts.models import RefreshToken, User
from common import actor, limits, workspace
from common.errors import NotAuthenticated, RateLimited
from common.limits import Limit
from events.bus import publish

logger = structlog.get_logger(__name__)

# An address (an IPv6 network) may try so often, whomever it names.
BY_ADDRESS = Limit("sign_in_address", amount=30, window_s=300)
# One account from one address, or from one device that the account has signed in from before.
BY_ACCOUNT = Limit("sign_in_account", amount=5, window_s=300)
# One account from all devices that it doesn't know together. It is so much wider than the former that one stranger
# can't use it up, and whoever signed in before is let through: strangers can't lock anybody out.
BY_STRANGERS = Limit("sign_in_strangers", amount=100, window_s=3600)
# Whoever is asked for a code has proved his password already.
BY_SECOND_FACTOR = Limit("second_factor", amount=5, window_s=300)
RESETS_BY_ADDRESS = Limit("password_reset_address", amount=20, window_s=3600)
RESETS_BY_ACCOUNT = Limit("password_reset_account", amount=5, window_s=3600)

DEVICE_AGE_S = 180 * 24 * 3600
TICKET_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Knock:
    """One try to get in: for which account (hashed), from where, from a device that the account knows or not."""

    account: str
    address: str
    device: str


def _account(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _device_salt() -> str:
    return f"accounts.device:{workspace.current_key()}"


def remember_device(*, email: str, device: str = "") -> str:
    """Answer what a browser keeps to be known when this account signs in from it again; a known one stays as it is."""
    known = _read_device(device)
    account = _account(email)
    if known and known.get("a") == account:
        return device
    return signing.dumps({"a": account, "d": secrets.token_hex(8)}, salt=_device_salt())


def _read_device(device: str) -> dict[str, str] | None:
    try:
        kept: dict[str, str] = signing.loads(device, salt=_device_salt(), max_age=DEVICE_AGE_S)
    except signing.BadSignature:
        return None
    return kept


def _knock(email: str, device: str) -> Knock:
    account, kept = _account(email), _read_device(device) if device else None
    return Knock(
        account=account,
        address=limits.network_of(actor.origin().ip_address),
        device=kept["d"] if kept and kept.get("a") == account else "",
    )


def _take(limit: Limit, subject: str) -> None:
    verdict = limits.take(limit, subject)
    if not verdict.allowed:
        logger.warning("accounts.too_many_tries", limit=limit.name)
        raise RateLimited(
            f"Too many tries. Wait {_minutes(verdict.reset_s)} and try again.", retry_after=verdict.reset_s
        )


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def knock(*, email: str, device: str = "") -> None:
    """Count a try to sign in as `email`; raises RateLimited. `device`: what remember_device gave."""
    tried = _knock(email, device)
    _take(BY_ADDRESS, tried.address)
    _take(BY_ACCOUNT, f"{tried.account}:{tried.device or tried.address}")
    if tried.device:
        return
    try:
        _take(BY_STRANGERS, tried.account)
    except RateLimited:
        if not _has_had_tokens(email, tried.address):
            raise


def _has_had_tokens(email: str, address: str) -> bool:
    """Tell whether the account signed in for tokens at the address before: programs keep no cookie to be known by."""
    issued = RefreshToken.objects.filter(user__email=email.strip().lower(), ip_address__isnull=False)
    return any(limits.network_of(at) == address for at in issued.values_list("ip_address", flat=True).distinct())


def forget_knocks(*, email: str, device: str = "") -> None:
    """Begin the count of this account from this address or device anew: the password was right."""
    tried = _knock(email, device)
    limits.forget(BY_ACCOUNT, f"{tried.account}:{tried.device or tried.address}")


def knock_second_factor(*, user: User) -> None:
    """Count a try of a code; raises RateLimited when there were too many."""
    _take(BY_SECOND_FACTOR, str(user.pk))


def forget_second_factor(*, user: User) -> None:
    """Begin the count of codes anew: one was right."""
    limits.forget(BY_SECOND_FACTOR, str(user.pk))


def take(name: str, *, amount: int, window_s: int, subject: str = "") -> None:
    """Count something else that must not be tried without end, for the subject or the address; raises RateLimited."""
    _take(Limit(name, amount=amount, window_s=window_s), subject or limits.network_of(actor.origin().ip_address))


def identify(*, email: str, password: str, device: str = "") -> User:
    """Answer the active user with this address and password, of which a second factor may still be asked.

    Raises RateLimited, or NotAuthenticated, from which nobody learns whether the address or the password was wrong.
    """
    knock(email=email, device=device)
    user = authenticate(None, email=email.strip().lower(), password=password)
    if not isinstance(user, User):
        refused(reason="password")
        raise NotAuthenticated("The e-mail address or the password is wrong.")
    forget_knocks(email=email, device=device)
    return user


def refused(*, reason: str) -> None:
    """Log that somebody was turned away; the log line has the request id and no address."""
    logger.warning("accounts.sign_in_refused", reason=reason)


def let_in(*, user: User, by: str) -> None:
    """Log that somebody signed in."""
    logger.info("accounts.signed_in", of_user_id=str(user.pk), by=by)


# --- Links that open the door once ----------------------------------------------------------------------------------
def request_password_reset(*, email: str) -> None:
    """Have a reset link mailed, if the address is a user's. Does and takes the same if it isn't. Raises RateLimited.

    More than some an hour for one account are left out silently: the links sent before still work.
    """
    _take(RESETS_BY_ADDRESS, limits.network_of(actor.origin().ip_address))
    allowed = limits.take(RESETS_BY_ACCOUNT, _account(email)).allowed
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    with transaction.atomic():
        publish(PasswordResetRequested(user_id=str(user.pk) if user and allowed else ""))


def password_reset_url(user: User) -> str:
    """Answer a link that lets the user choose a new password: good for an hour, and until he has chosen one."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return workspace.current().url + path


def _ticket_salt() -> str:
    return f"accounts.ticket:{workspace.current_key()}"


def _last_seen(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""


def sign_in_ticket(user: User) -> str:
    """Answer what lets a user in once within five minutes: to hand a founder over to the new shop's host."""
    return signing.dumps({"u": user.pk.hex, "l": _last_seen(user)}, salt=_ticket_salt())


def welcome_url(user: User) -> str:
    """Answer the whole address that a ticket of the user's opens."""
    return workspace.current().url + reverse("accounts:welcome", args=[sign_in_ticket(user)])


@transaction.atomic
def spend_ticket(*, ticket: str, now: datetime) -> User:
    """Answer the user whom a ticket lets in, and make it worthless; raises TicketSpent."""
    user = find_ticket(ticket=ticket, lock=True)
    # The ticket names the sign-in before it, so the next one ends it.
    user.last_login = now
    user.save(update_fields=["last_login"])
    return user


def find_ticket(*, ticket: str, lock: bool = False) -> User:
    """Answer the user whom a ticket would let in; raises TicketSpent."""
    try:
        kept = signing.loads(ticket, salt=_ticket_salt(), max_age=TICKET_AGE_S)
        key = UUID(kept["u"])
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        raise TicketSpent from None
    found = User.objects.select_for_update(no_key=True) if lock else User.objects
    user = found.filter(pk=key, is_active=True).first()
    if user is None or _last_seen(user) != kept["l"]:
        raise TicketSpent
    return user

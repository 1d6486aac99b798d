"""Signing up: somebody asks for a shop, proves his e-mail address by a code, and has it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import queries as people_queries
from accounts import services as people
from accounts.models import User
from common.errors import Invalid, RateLimited
from notifications.services import queue_email
from tenants import routing
from tenants.errors import SignUpOver, WrongCode
from tenants.models import SignUp
from tenants.services.founding import Founder, check_address, checked_name, checked_place, found_tenant

CODE_LENGTH = 6
CODE_AGE = timedelta(minutes=30)
TRIES = 5
CODES = 4
_HOUR = 3600
# A row is of no use after its code, but says for a while how it ended to whoever comes back to it.
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WayIn:
    """Where a sign-up has led. `url` lets the founder in without a password as long as he hasn't been there yet."""

    name: str
    host: str
    url: str


def _hashed(code: str, sign_up_id: object) -> str:
    return salted_hmac(f"tenants.sign_up:{sign_up_id}", code, algorithm="sha256").hexdigest()


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}}"


def _mail(sign_up: SignUp, code: str) -> None:
    queue_email(
        template_key="sign_up_code",
        to=sign_up.email,
        to_name=sign_up.display_name,
        context={
            "user_name": sign_up.display_name,
            "tenant_name": sign_up.name,
            "code": code,
            "expires_in": f"{CODE_AGE.seconds // 60} minutes",
        },
        idempotency_key=f"sign_up_code:{sign_up.pk}:{sign_up.code_count}",
        reference=("sign_up", str(sign_up.pk)),
    )


def _check_password(password: str, *, email: str, display_name: str) -> None:
    try:
        validate_password(password, User(email=email, display_name=display_name))
    except ValidationError as error:
        raise Invalid(errors={"/password": list(error.messages)}) from None


def begin_sign_up(
    *,
    name: str,
    slug: str,
    email: str,
    display_name: str,
    password: str,
    currency: str,
    time_zone: str,
    country: str,
    now: datetime,
) -> SignUp:
    """Note what somebody wants and mail him a code; nothing else exists until it comes back.

    Raises RateLimited, Invalid, AddressRefused, AddressTaken. Not atomic as a whole: what was tried is counted.
    """
    people.take("sign_up_address", amount=30, window_s=_HOUR)
    address = people.normalized(email)
    _check_password(password, email=address, display_name=display_name)
    place = checked_place(currency=currency, time_zone=time_zone, country=country)
    named = checked_name(name)
    called = " ".join(display_name.split()) or address.partition("@")[0]
    check_address(slug, now=now)
    people.take("sign_up_email", amount=5, window_s=_HOUR, subject=address)
    with transaction.atomic():
        code = _new_code()
        sign_up = SignUp(
            email=address,
            display_name=called[:120],
            slug=slug,
            name=named,
            password=make_password(password),
            expires_at=now + CODE_AGE,
            **place,
        )
        sign_up.code_hash = _hashed(code, sign_up.pk)
        sign_up.save()
        _mail(sign_up, code)
    return sign_up


@transaction.atomic
def resend_code(*, sign_up_id: UUID, now: datetime) -> SignUp:
    """Mail another code in place of the one before. Raises SignUpOver, RateLimited after some."""
    sign_up = _locked(sign_up_id, now)
    if sign_up.tenant_id is not None:
        raise SignUpOver("This shop is open already.")
    if sign_up.code_count >= CODES:
        raise RateLimited("We have mailed several codes already. Look into the spam folder, or sign up again.")
    code = _new_code()
    sign_up.code_hash = _hashed(code, sign_up.pk)
    sign_up.code_count += 1
    sign_up.attempts = 0
    sign_up.expires_at = now + CODE_AGE
    sign_up.save(update_fields=["code_hash", "code_count", "attempts", "expires_at", "updated_at"])
    _mail(sign_up, code)
    return sign_up


def change_address(*, sign_up_id: UUID, slug: str, now: datetime) -> SignUp:
    """Choose another address for a shop that isn't open yet. Raises SignUpOver, AddressRefused, AddressTaken."""
    with transaction.atomic():
        sign_up = _locked(sign_up_id, now)
        if sign_up.tenant_id is not None:
            raise SignUpOver("This shop is open already.")
        check_address(slug, now=now)
        sign_up.slug = slug
        sign_up.save(update_fields=["slug", "updated_at"])
    return sign_up


def confirm_sign_up(*, sign_up_id: UUID, code: str, now: datetime) -> None:
    """Make the shop if the code is right; sent twice, it makes one. Raises SignUpOver, WrongCode, AddressTaken.

    Not atomic as a whole: a wrong code is counted although the answer is a refusal.
    """
    with transaction.atomic():
        sign_up = _locked(sign_up_id, now)
        is_right = constant_time_compare(sign_up.code_hash, _hashed(code.strip(), sign_up.pk))
        if is_right and sign_up.attempts < TRIES:
            _open(sign_up, now)
            return
        sign_up.attempts += 1
        sign_up.save(update_fields=["attempts", "updated_at"])
    left = TRIES - sign_up.attempts
    if left <= 0:
        raise SignUpOver("Too many wrong codes. Ask for a new one.")
    raise WrongCode(
        errors={"/code": [f"This isn't the code that we mailed. {left} {'try' if left == 1 else 'tries'} left."]},
        tries_left=left,
    )


def _locked(sign_up_id: UUID, now: datetime) -> SignUp:
    sign_up = SignUp.objects.select_for_update(of=("self",)).filter(pk=sign_up_id, expires_at__gt=now).first()
    if sign_up is None:
        raise SignUpOver("The code is too old. Sign up again, it takes a minute.")
    return sign_up


def _open(sign_up: SignUp, now: datetime) -> None:
    """Make the shop, unless an equal request was faster. The row is locked."""
    if sign_up.tenant_id is not None:
        return
    founded = found_tenant(
        slug=sign_up.slug,
        name=sign_up.name,
        founder=Founder(email=sign_up.email, display_name=sign_up.display_name, password_hash=sign_up.password),
        currency=sign_up.currency,
        time_zone=sign_up.timezone,
        country=str(sign_up.country),
        now=now,
    )
    sign_up.tenant, sign_up.password = founded.tenant, ""
    sign_up.save(update_fields=["tenant", "password", "updated_at"])


def way_in(*, sign_up_id: UUID, now: datetime) -> WayIn:
    """Answer where a finished sign-up leads. Raises SignUpOver where it has led nowhere. Writes nothing."""
    sign_up = SignUp.objects.select_related("tenant").filter(pk=sign_up_id, expires_at__gt=now).first()
    if sign_up is None or sign_up.tenant is None:
        raise SignUpOver
    tenant, host = sign_up.tenant, routing.host_of(sign_up.tenant.slug)
    with routing.within(routing.Shop.of(tenant, primary_host=host)):
        owner = next((user for user in people_queries.owners() if user.email == sign_up.email), None)
        # Whoever has been in signs in as everybody does: an old code is no key.
        is_new = owner is not None and owner.last_login is None
        url = people.welcome_url(owner) if owner and is_new else routing.url_of(host)
    return WayIn(name=tenant.name, host=routing.with_port(host), url=url)


@transaction.atomic
def clear_sign_ups(*, now: datetime) -> int:
    """Forget sign-ups that are over, with the personal data in them; answer how many."""
    count, _ = SignUp.objects.filter(expires_at__lte=now - KEPT).delete()
    return count

"""Signing in by address and password where there is no page: the API's sessions and tokens."""

from datetime import datetime

from accounts import queries, tokens
from accounts.errors import SecondFactorRequired
from accounts.models import User
from accounts.services import entrance, second_factor, users
from accounts.tokens import Pair
from common import actor, workspace
from common.errors import Invalid, NotAuthenticated

_WRONG = "The e-mail address or the password is wrong."


def prove_identity(*, email: str, password: str, otp: str = "", now: datetime) -> User:
    """Answer the user who has this address, this password and, where the second factor is on, this code.

    Raises RateLimited; NotAuthenticated alike for an unknown address and a wrong password; SecondFactorRequired when
    the code is missing or wrong, which only somebody with the password learns. Not atomic: refusals are counted.
    """
    user = entrance.identify(email=email, password=password)
    if not queries.second_factors(user_id=user.pk).is_on:
        return user
    if not otp:
        raise SecondFactorRequired
    entrance.knock_second_factor(user=user)
    if second_factor.spend_code(user=user, code=otp, now=now) is None:
        entrance.refused(reason="second_factor")
        raise SecondFactorRequired("The code is wrong or was used before.")
    entrance.forget_second_factor(user=user)
    return user


def _require_shop(slug: str) -> None:
    """Pass if the connection sees the shop that was named, or the host's own where none was."""
    present = workspace.current().slug
    if not present and not slug:
        raise Invalid(errors={"/tenant": ["This host serves all shops: say which one is yours."]})
    if not present or slug not in ("", present):
        entrance.refused(reason="tenant")
        raise NotAuthenticated(_WRONG)


def issue_tokens(*, email: str, password: str, otp: str = "", tenant: str = "", now: datetime) -> Pair:
    """Sign a program in; answer its first pair of tokens. Raises what prove_identity does, and Invalid for no shop."""
    _require_shop(tenant.strip().lower())
    user = prove_identity(email=email, password=password, otp=otp, now=now)
    pair = tokens.issue_pair(user=user, device_name=queries.describe_agent(actor.origin().user_agent), now=now)
    users.record_sign_in(user=user, now=now)
    entrance.let_in(user=user, by="token")
    return pair

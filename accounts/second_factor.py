"""The second factor: TOTP and passkeys by allauth, with secrets encrypted at rest; recovery codes of ours."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from common import crypto, rotation, workspace


def has_second_factor(user: Any) -> bool:
    """Tell whether a code or a passkey is asked for when the user signs in."""
    return bool(Authenticator.objects.filter(user_id=user.pk).exists())


def second_factor_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send who is signed in without a second factor to where it is set up; for our staff's site."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not has_second_factor(request.user):
            return HttpResponseRedirect(reverse("accounts:security"))
        return view(request, *args, **kwargs)

    return checked


def _rotated(text: str) -> str:
    """Answer an authenticator's JSON with its secret under the current key; of a passkey nothing is secret."""
    data = json.loads(text)
    if not isinstance(data.get("secret"), str):
        return text
    return json.dumps({**data, "secret": crypto.rotate(data["secret"])})


def register_secrets() -> None:
    """Have sessions and second factors take part when keys are rotated."""
    from accounts.models import Session  # noqa: PLC0415  # models are there only now

    rotation.also(Session, "session_data")
    rotation.also(Authenticator, "data", _rotated)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Keeps authenticators' secrets under the installation's keys, and says what it says in our words."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code isn't right, or it was used already.",
        "unverified_email": "Confirm your e-mail address first.",
    }

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        text: str = crypto.decrypt(encrypted_text)
        return text

    def get_totp_issuer(self) -> str:
        return f"Brikonnect {workspace.current().name}"

    def _get_site_name(self) -> str:
        return workspace.current().name

    def generate_authenticator_name(self, user: Any, type: str) -> str:  # allauth's signature
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

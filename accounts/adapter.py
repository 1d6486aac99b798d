"""How allauth behaves in this house: no open sign-up, our limits, our words, and no door but the shop's own."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import services
from accounts.middleware import actor_of
from accounts.models import User
from common import actor
from common.errors import RateLimited

DEVICE_COOKIE = "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"
_MAILS_AN_HOUR = 5
_WAYS = {
    "reauthenticate": "Use the password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


def refuse_for_now(request: HttpRequest, error: RateLimited) -> ValidationError:
    """Answer the error as a form shows it; the view's answer gets status 429 and Retry-After from the request."""
    request.rate_limited = error  # type: ignore[attr-defined]  # read by accounts.views.entrance
    return ValidationError(error.detail, code="rate_limited")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People join a shop by invitation, or found one (tenants.services); nobody signs up to a shop by himself."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account was deactivated.",
        "email_password_mismatch": "The e-mail address or the password is wrong.",
        "email_taken": "Somebody with this address is here already.",
        "duplicate_email": "This is your address already.",
        "enter_current_password": "This isn't your present password.",
        "incorrect_code": "This code isn't right.",
        "incorrect_password": "This isn't your password.",
        "invalid_password_reset": "This link was used already, or is older than an hour.",
        "same_as_current": "This is your address already.",
        "too_many_login_attempts": "Too many wrong codes. Sign in again and a new one is sent.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # allauth's signature
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only this host: allauth would take every shop's, as ALLOWED_HOSTS covers them all."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def get_client_ip(self, request: HttpRequest) -> str:  # allauth's signature
        return actor.origin().ip_address or "0.0.0.0"  # noqa: S104  # no address to bind to: a stand-in where a socket has none

    # --- The door ----------------------------------------------------------------------------------------------------
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            services.knock(email=credentials.get("email", ""), device=request.COOKIES.get(DEVICE_COOKIE, ""))
        except RateLimited as error:
            raise refuse_for_now(request, error) from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            self._delete_login_attempts_cached_email(request, **credentials)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:  # allauth's signature
        services.refused(reason="password")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        services.forget_knocks(email=credentials.get("email", ""), device=request.COOKIES.get(DEVICE_COOKIE, ""))

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        services.let_in(user=user, by="page")

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        device = request.COOKIES.get(DEVICE_COOKIE, "")
        response.set_cookie(
            DEVICE_COOKIE,
            services.remember_device(email=user.email, device=device),
            max_age=services.DEVICE_AGE_S,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Our staff go to their site, where there is one; everybody else to the first page."""
        if isinstance(request.user, User) and request.user.is_staff:
            try:
                return reverse("admin:index")
            except NoReverseMatch:
                pass
        url: str = super().get_login_redirect_url(request)
        return url

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        return [{**method, "description": _WAYS[method["id"]]} for method in methods]

    # --- Passwords and addresses ------------------------------------------------------------------------------------
    def set_password(self, user: User, password: str) -> None:
        """Set the password. Whoever does it by a reset link is nobody yet, so the trail names whose link it was."""
        mine = self.request is not None and self.request.user.is_authenticated and self.request.user.pk == user.pk
        keep = self.request.session.session_key if mine else None
        with actor.use(actor.current() if mine else actor_of(user)):
            services.change_password(user=user, password=password, now=timezone.now(), keep_session=keep)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:  # noqa: FBT001  # allauth's signature
        services.take("verification_mail", amount=_MAILS_AN_HOUR, window_s=3600, subject=str(emailconfirmation.user.pk))
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # allauth's signature
        return reverse("accounts:security")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        if self.request.user.is_authenticated:
            return reverse("accounts:security")
        url: str = super().get_email_verification_redirect_url(email_address)
        return url

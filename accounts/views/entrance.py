"""The door: signing in and out, codes, passkeys, links of mails. allauth's views in our frame, and a few of ours."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from allauth.account import views as account_views
from allauth.account.utils import perform_login
from allauth.mfa.base import views as mfa_views
from allauth.mfa.webauthn import views as webauthn_views
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.forms import JoinForm, ResetRequestForm, add_errors
from common.access import open_to_all, signed_in
from common.errors import Invalid
from common.htmx import redirect, render
from common.http import HttpRequest

View = Callable[..., HttpResponse]
# Tries in five minutes from one address, of what isn't counted by account.
_TRIES, _WINDOW_S = 30, 300


def _framed(view: View, *, limit: str = "") -> View:
    """Answer allauth's view with our statuses: 422 for wrong values, 429 for too many tries. `limit` counts POSTs."""

    @wraps(view)
    def framed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if limit and request.method == "POST":
            services.take(limit, amount=_TRIES, window_s=_WINDOW_S)
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse):
            if request.method == "POST" and any(_has_errors(value) for value in (response.context_data or {}).values()):
                response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            response.render()
        if refused := getattr(request, "rate_limited", None):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = refused.headers["Retry-After"]
        return response

    return never_cache(sensitive_post_parameters("password", "oldpassword", "password1", "code")(framed))


def _has_errors(value: Any) -> bool:
    return bool(getattr(value, "is_bound", False) and value.errors)


# --- allauth's ------------------------------------------------------------------------------------------------------
sign_in = open_to_all(_framed(account_views.login))
sign_out = open_to_all(_framed(account_views.logout))
inactive = open_to_all(_framed(account_views.account_inactive))
second_factor = open_to_all(_framed(mfa_views.authenticate))
passkey_sign_in = open_to_all(_framed(webauthn_views.login_webauthn, limit="passkey"))
confirm_email = open_to_all(_framed(account_views.email_verification_sent, limit="confirm_email"))
reset_password = open_to_all(_framed(account_views.password_reset_from_key, limit="reset_password"))
reset_done = open_to_all(_framed(account_views.password_reset_from_key_done))
reauthenticate = signed_in(_framed(account_views.reauthenticate))
reauthenticate_by_code = signed_in(_framed(mfa_views.reauthenticate))
reauthenticate_by_passkey = signed_in(_framed(webauthn_views.reauthenticate_webauthn, limit="passkey"))
change_email = signed_in(_framed(account_views.email, limit="change_email"))
change_password = signed_in(_framed(account_views.password_change, limit="change_password"))
set_password = signed_in(_framed(account_views.password_set, limit="change_password"))


# --- Ours -----------------------------------------------------------------------------------------------------------
@open_to_all
@never_cache
def request_reset(request: HttpRequest) -> HttpResponse:
    """Ask where the reset link goes, and answer the same whether anybody has that address."""
    form = ResetRequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.request_password_reset(email=form.cleaned_data["email"])
        return redirect(request, reverse("account_reset_password_done"))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "account/password_reset.html", {"form": form}, status=status)


@open_to_all
def reset_requested(request: HttpRequest) -> HttpResponse:
    """Say that the mail is on its way, if there is such a user."""
    return render(request, "account/password_reset_done.html")


def _let_in(request: HttpRequest, user: Any) -> HttpResponse:
    if request.user.is_authenticated and request.user.pk != user.pk:
        request.session.flush()
    response: HttpResponse = perform_login(request, user)
    return response


@open_to_all
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation and, with a name and a password, accept it. Raises InvitationClosed."""
    now = timezone.now()
    invitation = services.find_invitation(token=token, now=now)
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method == "POST":
        services.take("join", amount=_TRIES, window_s=_WINDOW_S)
        if form.is_valid():
            try:
                user = services.accept_invitation(
                    token=token,
                    display_name=form.cleaned_data["display_name"],
                    password=form.cleaned_data["password"],
                    now=now,
                )
            except Invalid as error:
                add_errors(form, error)
            else:
                return _let_in(request, user)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "email": invitation.email, "invited_by": invitation.invited_by}
    return render(request, "accounts/join.html", context, status=status)


@open_to_all
@never_cache
def welcome(request: HttpRequest, ticket: str) -> HttpResponse:
    """Lead a founder into the new shop. Looking changes nothing; the button spends the ticket. Raises TicketSpent."""
    if request.method == "POST":
        return _let_in(request, services.spend_ticket(ticket=ticket, now=timezone.now()))
    return render(request, "accounts/welcome.html", {"founder": services.find_ticket(ticket=ticket)})

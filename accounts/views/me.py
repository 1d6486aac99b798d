"""Oneself: profile, theme, password, second factor, sessions."""

import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.decorators import reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.internal.auth import begin_registration
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import queries, services
from accounts.forms import PasskeyForm, PasskeyNameForm, ProfileForm, TotpForm, add_errors
from accounts.models import User
from audit.context import current_change_set_id
from common.access import signed_in
from common.errors import Invalid
from common.htmx import go_on, redirect, render, safe_next
from common.http import HttpRequest

View = Callable[..., HttpResponse]


def _proved(view: View) -> View:
    """Ask for the password or a code first, if that was more than five minutes ago."""
    return cast("View", reauthentication_required(app="allauth.mfa")(view))


def _me(request: HttpRequest) -> User:
    return cast("User", request.user)


def _refused(form: Any) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK


# --- Profile --------------------------------------------------------------------------------------------------------
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change one's name, theme and keys."""
    user = _me(request)
    form = ProfileForm(
        request.POST or None,
        initial={
            "display_name": user.display_name,
            "theme": user.theme,
            "shortcuts": user.preferences.get("shortcuts", "on") == "on",
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.update_profile(
                user_id=user.pk,
                display_name=form.cleaned_data["display_name"],
                theme=form.cleaned_data["theme"],
                preferences=form.preferences(),
            )
        except Invalid as error:
            add_errors(form, error)
        else:
            return go_on(request, reverse("accounts:profile"), message="Profile saved.", undo=current_change_set_id())
    return render(request, "accounts/profile.html", {"form": form}, status=_refused(form))


@signed_in
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme that the toggle chose. Raises Invalid."""
    services.change_theme(user_id=_me(request).pk, theme=request.POST.get("theme", ""))
    if request.headers.get("HX-Request") or request.headers.get("Sec-Fetch-Mode") in ("cors", "same-origin"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return redirect(request, reverse("accounts:profile"))


# --- Security -------------------------------------------------------------------------------------------------------
@signed_in
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Show what protects one's account."""
    user = _me(request)
    return render(
        request,
        "accounts/security.html",
        {"factors": queries.second_factors(user_id=user.pk), "user_email": user.email},
    )


@signed_in
@never_cache
@_proved
def totp(request: HttpRequest) -> HttpResponse:
    """Turn the authenticator app on: its secret as a picture, then its first code, then the recovery codes."""
    user = _me(request)
    if queries.second_factors(user_id=user.pk).totp_since:
        return redirect(request, reverse("accounts:security"))
    form = TotpForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        services.activate_totp(user=user, secret=form.secret, counter=form.counter)
        form.forget_secret()
        _mail_notice(request, "totp_activated")
        return _after_second_factor(request, "Authenticator app is on.")
    adapter = get_adapter()
    url = adapter.build_totp_url(user, form.secret)
    picture = base64.b64encode(adapter.build_totp_svg(url).encode()).decode()
    context = {
        "form": form,
        "picture": f"data:image/svg+xml;base64,{picture}",
        "secret": " ".join(form.secret[place : place + 4] for place in range(0, len(form.secret), 4)),
        "secret_plain": form.secret,
        "url": url,
    }
    response = render(request, "accounts/totp.html", context, status=_refused(form))
    return _with_wait(request, response)


def _with_wait(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if refused := getattr(request, "rate_limited", None):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = refused.headers["Retry-After"]
    return response


def _mail_notice(request: HttpRequest, what: str) -> None:
    """Mail the user that his second factor changed: if it wasn't he who did it, he should know."""
    get_account_adapter(request).send_notification_mail(f"mfa/email/{what}", request.user)


def _after_second_factor(request: HttpRequest, message: str) -> HttpResponse:
    """Go on to the recovery codes if there are none yet: without them a lost phone is a lost account."""
    left = queries.second_factors(user_id=_me(request).pk).recovery_codes_left
    return go_on(request, reverse("accounts:security" if left else "accounts:recovery_codes"), message=message)


@signed_in
@never_cache
@_proved
def totp_off(request: HttpRequest) -> HttpResponse:
    """Ask, where no dialog does, and turn the authenticator app off."""
    url = reverse("accounts:security")
    if request.method != "POST":
        factors = queries.second_factors(user_id=_me(request).pk)
        if not factors.totp_since:
            return redirect(request, url)
        context = {
            "title": "Turn the authenticator app off?",
            "text": "Your passkeys go on working."
            if factors.passkeys
            else "From then on the password alone is enough, and your recovery codes stop working.",
            "url": request.path,
            "action": "Turn app off",
            "destructive": True,
            "back": url,
        }
        return render(request, "accounts/question.html", context)
    services.deactivate_totp(user=_me(request))
    _mail_notice(request, "totp_deactivated")
    return go_on(request, url, message="Authenticator app is off.")


@signed_in
@never_cache
@_proved
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make recovery codes and show them, this once. Looking makes none."""
    user = _me(request)
    factors = queries.second_factors(user_id=user.pk)
    if not factors.is_on:
        return redirect(request, reverse("accounts:security"))
    codes: list[str] = []
    if request.method == "POST":
        codes = services.create_recovery_codes(user=user)
        _mail_notice(request, "recovery_codes_generated")
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "factors": factors})


@signed_in
@never_cache
@_proved
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Make a passkey: the browser asks for it, the answer comes with the form."""
    user = _me(request)
    form = PasskeyForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        services.add_passkey(user=user, name=form.cleaned_data["name"], credential=form.cleaned_data["credential"])
        _mail_notice(request, "webauthn_added")
        return _after_second_factor(request, "Passkey added.")
    context = {"form": form, "options": begin_registration(user, passwordless=False)}
    return render(request, "accounts/passkey_add.html", context, status=_refused(form))


@signed_in
@_proved
def passkey_rename(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Call a passkey something else."""
    user = _me(request)
    present = next((key.name for key in queries.second_factors(user_id=user.pk).passkeys if key.id == passkey_id), "")
    form = PasskeyNameForm(request.POST or None, initial={"name": present})
    if request.method == "POST" and form.is_valid():
        services.rename_passkey(user=user, passkey_id=passkey_id, name=form.cleaned_data["name"])
        return go_on(request, reverse("accounts:security"), message="Passkey renamed.")
    return render(request, "accounts/passkey_rename.html", {"form": form, "name": present}, status=_refused(form))


@signed_in
@require_POST
@_proved
def passkey_remove(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Take a passkey away."""
    services.remove_passkey(user=_me(request), passkey_id=passkey_id)
    _mail_notice(request, "webauthn_removed")
    return go_on(request, reverse("accounts:security"), message="Passkey removed.")


# --- Sessions -------------------------------------------------------------------------------------------------------
@signed_in
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """Show where one is signed in."""
    rows = queries.sessions_of(user_id=_me(request).pk, now=timezone.now(), present_key=request.session.session_key)
    return render(request, "accounts/sessions.html", {"sessions": rows, "others": len(rows) - 1}, partial="rows")


@signed_in
@require_POST
def session_end(request: HttpRequest, session_id: Any) -> HttpResponse:
    """Sign one browser or device out, one's own or a colleague's."""
    services.end_session(public_id=session_id, now=timezone.now())
    return go_on(request, safe_next(request, reverse("accounts:sessions")), message="Signed out there.")


@signed_in
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Sign oneself out everywhere else."""
    count = services.end_other_sessions(
        user_id=_me(request).pk, now=timezone.now(), keep_session=request.session.session_key
    )
    noun = "place" if count == 1 else "places"
    return go_on(request, reverse("accounts:sessions"), message=f"Signed out in {count} other {noun}.")

"""Sends allauth's mails through the queue: written in the transaction that causes them, sent by a task."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from allauth.account import app_settings
from django.conf import settings
from django.urls import reverse

from accounts.adapter import AccountAdapter
from accounts.queries import describe_agent
from common import workspace
from common.ids import new_id
from notifications.services import queue_email
from notifications.words import duration, moment

Context = Mapping[str, Any]

# What the mails about a changed account say, by allauth's names: subject and sentence.
_CHANGES: dict[str, tuple[str, str]] = {
    "account/email/password_changed": ("Your password was changed", "The password of your account was changed."),
    "account/email/password_reset": ("Your password was changed", "A new password was chosen by the link we mailed."),
    "account/email/password_set": ("Your account has a password", "A password was set for your account."),
    "account/email/email_changed": (
        "Your e-mail address was changed",
        "The e-mail address of your account was changed from {from_email} to {to_email}.",
    ),
    "account/email/email_deleted": (
        "An e-mail address was removed",
        "The e-mail address {deleted_email} was removed from your account.",
    ),
    "account/email/email_confirm": (
        "Your e-mail address is confirmed",
        "The e-mail address of your account is confirmed.",
    ),
    "mfa/email/totp_activated": (
        "An authenticator app was added",
        "From now on signing in to your account takes a code of your authenticator app.",
    ),
    "mfa/email/totp_deactivated": (
        "The authenticator app was removed",
        "Signing in to your account no longer takes a code of an authenticator app.",
    ),
    "mfa/email/recovery_codes_generated": (
        "New recovery codes were made",
        "New recovery codes were made for your account. The old ones no longer work.",
    ),
    "mfa/email/webauthn_added": ("A passkey was added", "A passkey or security key was added to your account."),
    "mfa/email/webauthn_removed": ("A passkey was removed", "A passkey or security key was removed from your account."),
}


class QueuedMailAccountAdapter(AccountAdapter):
    """The account adapter with our mail queue as its outlet."""

    def send_mail(self, template_prefix: str, email: str, context: Context) -> None:
        """Queue the mail of ours that stands for allauth's template."""
        user = context.get("user")
        name = getattr(user, "display_name", "")
        key, variables = _mail_for(template_prefix, {"email": email, **context})
        given = {"user_name": name or email.partition("@")[0], "tenant_name": workspace.current().name}
        queue_email(
            template_key=key,
            to=email,
            to_name=name,
            context={**given, **variables},
            # Asked for anew each time: two codes are two mails.
            idempotency_key=f"{key}:{new_id()}",
            reference=("user", str(user.pk)) if user else ("", ""),
        )


def known_prefixes() -> frozenset[str]:
    """Answer the mails of allauth's that have one of ours."""
    return frozenset({*_CHANGES, *_MAILS})


def _mail_for(prefix: str, context: Context) -> tuple[str, dict[str, str]]:
    if prefix in _CHANGES:
        subject, what = _CHANGES[prefix]
        return "account_changed", {
            "subject": subject,
            "what": what.format(**context),
            "occurred_at": moment(context["timestamp"]),
            "ip_address": context["ip"] or "an unknown address",
            "user_agent": describe_agent(context["user_agent"]),
        }
    key, variables = _MAILS[prefix]
    return key, variables(context)


def _verification(context: Context) -> dict[str, str]:
    seconds = app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT
    return {"code": context["code"], "expires_in": duration(timedelta(seconds=seconds))}


def _reset(context: Context) -> dict[str, str]:
    lasts = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return {"reset_url": context["password_reset_url"], "expires_in": duration(lasts)}


def _sign_in(_context: Context) -> dict[str, str]:
    return {"login_url": workspace.current().url + reverse(settings.LOGIN_URL)}


def _nothing(_context: Context) -> dict[str, str]:
    return {}


_MAILS: dict[str, tuple[str, Callable[[Context], dict[str, str]]]] = {
    "account/email/email_confirmation": ("email_verification", _verification),
    "account/email/email_confirmation_signup": ("email_verification", _verification),
    "account/email/password_reset_key": ("password_reset", _reset),
    "account/email/unknown_account": ("account_unknown", _nothing),
    "account/email/account_already_exists": ("account_exists", _sign_in),
}

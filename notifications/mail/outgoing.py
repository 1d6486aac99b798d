"""Gives a mail to the mail server."""

import smtplib
from email.utils import formataddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

# What a mail server answers when another try would get the same answer (RFC 5321, section 4.2.1).
_PERMANENT = range(500, 600)


class RefusedError(Exception):
    """The mail server won't take this mail, now or later."""


class UnsentError(Exception):
    """The mail server couldn't take it now."""


def send(*, mail_id: UUID, to_email: str, to_name: str, subject: str, text: str, html: str) -> None:
    """Send one mail; raises Refused or Unsent. Sent twice it has the same Message-ID, by which clients see one."""
    sender = settings.DEFAULT_FROM_EMAIL
    domain = sender.rpartition("@")[2].rstrip(">")
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=sender,
        to=[formataddr((" ".join(to_name.split()), to_email))],
        headers={
            "Message-ID": f"<{mail_id}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()))
        raise _of_code(code, reason) from error
    except smtplib.SMTPResponseException as error:
        raise _of_code(error.smtp_code, error.smtp_error) from error
    except OSError as error:  # no connection, a time-out; smtplib's own errors are OSErrors too
        raise UnsentError(f"{type(error).__name__}: {error}") from error


def _of_code(code: int, reason: bytes | str) -> RefusedError | UnsentError:
    words = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    return (RefusedError if code in _PERMANENT else UnsentError)(f"{code} {words}")

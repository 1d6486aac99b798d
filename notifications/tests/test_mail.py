"""Mails: words from templates, written with what causes them, sent once, tried again, given up in the end."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from allauth.account.adapter import get_adapter
from django.core import mail
from django.utils import timezone

from notifications import services
from notifications.choices import MailStatus
from notifications.kinds import KINDS
from notifications.mail.render import MissingVariableError, render
from notifications.models import QueuedEmail

pytestmark = pytest.mark.django_db

GIVEN = {"workspace_name": "Demo Bricks", "workspace_url": "https://demo.example.com"}


def queued(key: str = "welcome", *, idempotency_key: str = "welcome:1", to: str = "ana@example.com") -> QueuedEmail:
    return services.queue_email(
        template_key=key, to=to, to_name="Ana", context=KINDS[key].example, idempotency_key=idempotency_key
    )


def send(mail_row: QueuedEmail, **later: float) -> QueuedEmail:
    services.send_mail(mail_id=mail_row.pk, now=timezone.now() + timedelta(**later))
    mail_row.refresh_from_db()
    return mail_row


# --- Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KINDS)
def test_writes_every_mail_in_both_forms(key: str) -> None:
    words = render(key, GIVEN | KINDS[key].example)
    assert words.subject
    assert "\n" not in words.subject
    for value in KINDS[key].example.values():
        assert value in words.subject + words.text
        assert value in words.html + words.subject
    assert "{{" not in words.subject + words.text + words.html
    assert "<p>" not in words.text


@pytest.mark.parametrize("key", KINDS)
def test_refuses_a_mail_with_a_gap(key: str) -> None:
    for missing in KINDS[key].example:
        context = GIVEN | KINDS[key].example
        del context[missing]
        with pytest.raises(MissingVariableError):
            render(key, context)


def test_escapes_names_in_html_alone() -> None:
    context = GIVEN | KINDS["welcome"].example | {"tenant_name": "Tom & <b>Co</b>", "user_name": "Ana <script>"}
    words = render("welcome", context)
    assert "Tom & <b>Co</b>" in words.text
    assert words.subject == "Welcome to Tom & <b>Co</b>"
    assert "<script>" not in words.html
    assert "Tom &amp; &lt;b&gt;Co&lt;/b&gt;" in words.html


def test_keeps_the_subject_one_line() -> None:
    context = GIVEN | KINDS["welcome"].example | {"tenant_name": "Evil\r\nBcc: all@example.com"}
    assert render("welcome", context).subject == "Welcome to Evil Bcc: all@example.com"


def test_lets_a_code_stand_alone_on_its_line() -> None:
    words = render("sign_up_code", GIVEN | KINDS["sign_up_code"].example | {"code": "123456"})
    assert re.search(r"^123456$", words.text, re.MULTILINE)


# --- The queue -------------------------------------------------------------------------------------------------------


def test_sends_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        row = queued()
        assert mail.outbox == []
    row.refresh_from_db()
    assert row.status == MailStatus.SENT
    sent = mail.outbox[0]
    assert sent.to == ["Ana <ana@example.com>"]
    assert sent.extra_headers["Message-ID"].startswith(f"<{row.pk}@")
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


def test_makes_one_mail_of_one_cause(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert queued().pk == queued().pk
        assert queued(idempotency_key="welcome:2").pk != queued().pk
    assert len(mail.outbox) == 2


def test_sends_once_where_its_task_comes_twice() -> None:
    row = send(queued())
    send(row)
    send(row, minutes=10)
    assert len(mail.outbox) == 1


def test_forgets_what_opens_a_door() -> None:
    code, welcome = send(queued("sign_up_code", idempotency_key="c")), send(queued())
    assert code.subject == code.body_text == code.body_html == ""
    assert "F4K2-9QXD" in mail.outbox[0].subject
    assert "F4K2-9QXD" in mail.outbox[0].body
    assert welcome.subject
    assert welcome.body_text


def test_finds_mail_whose_task_was_lost(django_capture_on_commit_callbacks: Any) -> None:
    row = queued()
    with django_capture_on_commit_callbacks(execute=True):
        services.sweep_mails(now=timezone.now())
    row.refresh_from_db()
    assert row.status == MailStatus.SENT


def test_tries_again_after_a_try_that_was_cut_off() -> None:
    row = queued()
    # A worker took it and died: its lease is what is left.
    QueuedEmail.objects.update(attempts=1, next_attempt_at=timezone.now() + timedelta(minutes=2))
    assert send(row).status == MailStatus.PENDING
    assert send(row, minutes=3).status == MailStatus.SENT


def test_deletes_old_mail_but_none_that_waits() -> None:
    sent, waiting = send(queued()), queued(idempotency_key="w")
    services.purge(now=timezone.now() + timedelta(days=31))
    assert list(QueuedEmail.objects.all()) == [waiting]
    assert sent.status == MailStatus.SENT


# --- The mail server -------------------------------------------------------------------------------------------------


class MailServer:
    """A mail server that answers what the test wants."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.got: list[Message | bytes | str | None] = []

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # see above
        self.got.append(envelope.content)
        return "250 Taken"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    server = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS = "", False
    yield server
    controller.stop()


def test_gives_the_mail_to_the_server_in_both_forms(mail_server: MailServer) -> None:
    assert send(queued()).status == MailStatus.SENT
    text = bytes(mail_server.got[0] or b"").decode()  # type: ignore[arg-type]  # aiosmtpd gives bytes
    assert "Subject: Welcome to Demo Bricks" in text
    assert "multipart/alternative" in text


def test_tries_five_times_and_later_each_time(mail_server: MailServer) -> None:
    mail_server.answers = ["451 Come back later"] * 5
    row, waits, now = queued(), [], timezone.now()
    for attempt in range(1, 6):
        services.send_mail(mail_id=row.pk, now=now)
        row.refresh_from_db()
        assert row.attempts == attempt
        if row.next_attempt_at:
            waits.append((row.next_attempt_at - now).total_seconds())
            now = row.next_attempt_at
    assert waits == [60, 300, 1800, 7200]
    assert (row.status, row.error_message) == (MailStatus.FAILED, "451 Come back later")
    assert mail_server.got == []


def test_gives_up_at_once_what_is_refused_for_good(mail_server: MailServer) -> None:
    mail_server.answers = ["550 No such user"]
    row = send(queued())
    assert (row.status, row.attempts, row.error_message) == (MailStatus.FAILED, 1, "550 No such user")


def test_waits_for_a_server_that_is_away(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 1, False
    row = send(queued())
    assert (row.status, row.attempts) == (MailStatus.PENDING, 1)
    assert "ConnectionRefusedError" in row.error_message


# --- allauth's mails --------------------------------------------------------------------------------


# What allauth can send and what is switched off here: log-in and reset by code, social accounts.
SWITCHED_OFF = {
    "account/email/login_code",
    "account/email/password_reset_code",
    "socialaccount/email/account_connected",
    "socialaccount/email/account_disconnected",
}


def test_has_a_mail_of_ours_for_each_of_allauths() -> None:
    from pathlib import Path  # noqa: PLC0415

    import allauth  # noqa: PLC0415

    from notifications.adapter import known_prefixes  # noqa: PLC0415

    folder = Path(allauth.__file__).parent / "templates"
    theirs = {
        str(path.relative_to(folder)).removesuffix("_subject.txt") for path in folder.glob("*/email/*_subject.txt")
    }
    assert theirs - SWITCHED_OFF == known_prefixes()


def test_queues_what_allauth_sends(django_capture_on_commit_callbacks: Any) -> None:
    adapter = get_adapter()
    notice = {"timestamp": timezone.now(), "ip": "203.0.113.7", "user_agent": "curl/8"}
    with django_capture_on_commit_callbacks(execute=True):
        adapter.send_mail("account/email/email_confirmation", "ana@example.com", {"code": "ABC-123"})
        adapter.send_mail("mfa/email/totp_activated", "ana@example.com", notice)
        adapter.send_mail(
            "account/email/email_changed",
            "ana@example.com",
            {**notice, "from_email": "ana@example.com", "to_email": "ana@example.net"},
        )
    assert [sent.subject for sent in mail.outbox] == [
        "ABC-123 is your Brikonnect code",
        "An authenticator app was added",
        "Your e-mail address was changed",
    ]
    assert "from ana@example.com to ana@example.net" in mail.outbox[2].body
    assert "203.0.113.7" in mail.outbox[1].body

"""The whole application for the browser: started by the README's first command on a port and data folder of its own."""

import email
import email.policy
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "brikonnect-demo"
WIDTHS = {"phone": 390, "desktop": 1440}
STARTED_WITHIN_S = 120
MAIL_WITHIN_S = 60
# Other tests keep the machine busy.
expect.set_options(timeout=15_000)


@dataclass(frozen=True, slots=True)
class Stack:
    """The running application."""

    port: int
    data: Path

    def url(self, path: str = "/", *, slug: str = "demo") -> str:
        """Answer the address of a page: of a shop, or of the site where `slug` is empty."""
        host = f"{slug}.localhost" if slug else "localhost"
        return f"http://{host}:{self.port}{path}"

    def mail_to(self, address: str, *, subject: str = "", since: float = 0) -> str:
        """Answer the text of the newest mail to the address, waiting for the worker to send it."""
        deadline = time.monotonic() + MAIL_WITHIN_S
        while time.monotonic() < deadline:
            files = sorted((self.data / "mail").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in files:
                message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                body = message.get_body(("plain",))
                if (
                    path.stat().st_mtime >= since
                    and address in str(message["To"])
                    and subject in str(message["Subject"])
                    and body
                ):
                    return str(body.get_content())
            time.sleep(0.2)
        raise AssertionError(f"no mail to {address} within {MAIL_WITHIN_S} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/ready", headers={"Host": f"localhost:{port}"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310  # our own server
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Start everything; stop it cleanly."""
    # Not in pytest's own folder, which is closed to the account that root hands the database to.
    folder = Path(tempfile.mkdtemp(prefix="brikonnect-browser-"))
    folder.chmod(0o755)
    data = folder / "var"
    port = _free_port()
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    }
    log = (folder / "up.log").open("w")
    up = subprocess.Popen(
        [sys.executable, str(ROOT / "bin/up"), "--port", str(port), "--data", str(data)],
        stdout=log, stderr=subprocess.STDOUT, env=clean, cwd=ROOT,
    )  # fmt: skip
    deadline = time.monotonic() + STARTED_WITHIN_S
    while not _answers(port):
        if up.poll() is not None or time.monotonic() > deadline:
            up.kill()
            pytest.fail(f"bin/up did not start:\n{(folder / 'up.log').read_text()[-4000:]}")
        time.sleep(0.2)
    yield Stack(port=port, data=data)
    up.send_signal(signal.SIGTERM)
    assert up.wait(60) == 0, "bin/up did not stop cleanly"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless. Ends with its module: meanwhile its event loop holds this thread."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


class Watched:
    """Console errors of a page: a policy violation or a script error fails the test that caused it."""

    def __init__(self, page: Page) -> None:
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))

    def _said(self, kind: str, text: str) -> None:
        # The browser itself reports answers such as 403 and 422 as errors; those are what some tests are about.
        if kind == "error" and not re.match(
            r"Failed to load resource: the server responded with a status of (4\d\d)", text
        ):
            self.problems.append(text)


def still_context(browser: Browser, width: str, **options: Any) -> BrowserContext:
    """Answer a fresh profile at one of the widths in which nothing moves, so that what is looked at stands still."""
    return browser.new_context(viewport={"width": WIDTHS[width], "height": 844}, reduced_motion="reduce", **options)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser profile on a desktop."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    made = context.new_page()
    made.set_default_timeout(10_000)
    watched = Watched(made)
    yield made
    context.close()
    assert not watched.problems, watched.problems


def enter_password(page: Page, stack: Stack, who: str) -> None:
    """Fill in the log-in form of the demo shop as one of its five users."""
    page.goto(stack.url("/account/login/"))
    page.get_by_label("E-mail").fill(f"{who}@demo.example")
    page.get_by_role("textbox", name="Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


# An address may sign in thirty times within five minutes, and all of these tests have one: before that is used up, the
# sessions of the same users go on.
_SIGN_INS, _WITHIN_S = 20, 300
_signed_in_at: list[float] = []
_sessions: dict[tuple[int, str], list[Any]] = {}


def sign_in(page: Page, stack: Stack, who: str = "owner", *, path: str = "/") -> None:
    """Sign in to the demo shop as one of its five users, and open a page."""
    recent = [moment for moment in _signed_in_at if moment > time.monotonic() - _WITHIN_S]
    kept = _sessions.get((stack.port, who))
    if kept and len(recent) >= _SIGN_INS:
        page.context.add_cookies(kept)
        page.goto(stack.url(path))
        if "/account/login" not in page.url:
            return
    enter_password(page, stack, who)
    page.wait_for_url(lambda url: "/account/login" not in url)
    _signed_in_at.append(time.monotonic())
    _sessions[stack.port, who] = [one for one in page.context.cookies() if "session" in str(one["name"]).lower()]
    if path != "/":
        page.goto(stack.url(path))


def confirm_that_it_is_me(page: Page) -> None:
    """Answer the question for the password that stands before what is sensitive, if it is asked."""
    if "/account/confirm" in page.url:
        page.get_by_role("textbox", name="Password").first.fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(lambda url: "/account/confirm" not in url)

"""What people come for, in a real browser against the whole application."""

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, Stack, confirm_that_it_is_me, enter_password, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

STRONG = "correct horse battery"


def _totp(secret: str, *, at: float) -> str:
    """RFC 6238 with its defaults: SHA-1, 30 s, six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at // 30)), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def _sign_up(page: Page, stack: Stack, slug: str) -> None:
    since = time.time()
    page.goto(stack.url("/", slug=""))
    page.get_by_role("link", name="Start free").first.click()
    page.get_by_label("Shop name").fill(f"Shop {slug}")
    page.get_by_label(re.compile("address", re.I)).first.fill(slug)
    page.get_by_label("Your name").fill("Marta Silva")
    page.get_by_label("E-mail").fill(f"marta@{slug}.example")
    page.get_by_role("textbox", name="Password").fill(STRONG)
    page.get_by_role("button", name="Send code").click()
    code_field = page.get_by_label("Code")
    expect(code_field).to_be_visible()
    text = stack.mail_to(f"marta@{slug}.example", since=since)
    found = re.search(r"^\s*([A-Z0-9]{3}-?[A-Z0-9]{3})\s*$", text, flags=re.MULTILINE)
    assert found, text
    code_field.fill(found[1])
    page.get_by_role("button", name=re.compile("Confirm|Open")).click()


def test_sign_up_and_invite_a_picker(page: Page, browser: Browser, stack: Stack) -> None:
    slug = f"story-{int(time.time())}"
    _sign_up(page, stack, slug)
    page.wait_for_url(re.compile(rf"http://{slug}\.localhost:{stack.port}/.*"), timeout=15_000)
    page.get_by_role("button", name=re.compile("^Open Shop")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Marta")

    page.goto(stack.url("/settings/users/", slug=slug))
    since = time.time()
    page.get_by_role("link", name="Invite user").first.click()
    page.get_by_role("textbox", name="E-mail address").fill("ana@picks.example")
    page.get_by_label("Picker", exact=False).first.check()
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("ana@picks.example").first).to_be_visible()
    text = stack.mail_to("ana@picks.example", since=since)
    link = re.search(r"http://\S+", text)
    assert link, text

    guest = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    guest.goto(link[0])
    guest.get_by_label("Your name").fill("Ana Costa")
    guest.get_by_role("textbox", name="Password").fill(STRONG)
    guest.get_by_role("button", name="Accept invitation").click()
    # Whoever picks begins where that is done.
    guest.wait_for_url(stack.url("/picking/", slug=slug))
    response = guest.goto(stack.url("/settings/users/", slug=slug))
    assert response
    assert response.status == 403
    expect(guest.get_by_role("heading", level=1)).to_be_visible()
    guest.context.close()


def test_protect_the_account_with_an_authenticator(page: Page, stack: Stack, browser: Browser) -> None:
    sign_in(page, stack, "staff", path="/settings/security/authenticator-app/")
    confirm_that_it_is_me(page)
    page.get_by_text("It can't be scanned").click()
    secret = page.locator("[data-copy]").first.get_attribute("data-copy") or ""
    page.get_by_label("Code").fill(_totp(secret, at=time.time()))
    page.get_by_role("button", name="Turn app on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="Create recovery codes").click()
    recovery_code = page.locator(".codes li").first.inner_text()

    fresh = browser.new_context().new_page()
    enter_password(fresh, stack, "staff")
    expect(fresh.get_by_role("heading", name="Second step")).to_be_visible()
    # The app's present code was spent by turning it on; a recovery code opens too.
    fresh.get_by_label("Code").fill(recovery_code)
    fresh.get_by_role("button", name="Sign in", exact=True).click()
    fresh.wait_for_url(stack.url("/"))
    fresh.context.close()

    page.goto(stack.url("/settings/security/"))
    page.get_by_role("button", name="Turn off").click()
    page.get_by_role("button", name="Turn app off").click()
    expect(page.get_by_role("link", name="Set up app")).to_be_visible()


def test_sign_in_with_a_passkey(page: Page, stack: Stack) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, stack, "admin", path="/settings/security/passkeys/add/")
    confirm_that_it_is_me(page)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Add passkey").click()
    page.wait_for_url(lambda url: "/passkeys/add" not in url)

    page.context.clear_cookies()
    page.goto(stack.url("/account/login/"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(stack.url("/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_undo_a_changed_setting_from_the_toast(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner", path="/settings/general/")
    name = page.get_by_label("Shop name")
    before = name.input_value()
    name.fill("Bricks of Lisbon")
    page.get_by_role("button", name="Save changes").click()
    toast = page.locator(".toast").first
    expect(toast).to_contain_text("Undo")
    with page.expect_response(lambda response: "/undo/" in response.url) as answer:
        toast.get_by_role("button", name="Undo").click()
    assert answer.value.ok
    page.goto(stack.url("/settings/general/"))
    expect(page.get_by_label("Shop name")).to_have_value(before)
    page.goto(stack.url("/audit/"))
    expect(page.locator("#main")).to_contain_text("Took back")


def test_undo_waits_for_an_answer_and_for_a_session(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner", path="/settings/general/")
    street = page.get_by_label("Street", exact=False).first
    before = street.input_value()
    street.fill(f"Rua da Prata {int(time.time())}")
    page.get_by_role("button", name="Save changes").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()

    page.route("**/undo/", lambda route: route.fulfill(status=429, content_type="text/plain", body=""))
    undo.click()
    expect(page.get_by_role("alert")).to_contain_text("The server answered 429")
    expect(undo).to_be_visible()
    page.unroute("**/undo/")

    page.context.clear_cookies(name="session")
    undo.click()
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in and go on").click()
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(page.get_by_label("Street", exact=False).first).to_have_value(before)


def test_go_through_a_menu_by_keyboard(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "picker")
    page.locator("[popovertarget=user-menu]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Profile")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[popovertarget=user-menu]")).to_be_focused()
    expect(page.locator(".tip")).to_have_text("Account")
    page.locator(".find").focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("combobox")).to_be_focused()


def test_find_the_way_on_a_phone_without_a_script(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, stack, "picker")
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
    context.close()


def test_change_the_theme_and_find_a_page_by_keyboard(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    with page.expect_response("**/theme/"):
        page.keyboard.press("t")
    expect(page.locator("html.dark")).to_have_count(1)
    page.reload()
    expect(page.locator("html.dark")).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.type("audit")
    expect(page.get_by_role("option").first).to_contain_text("Audit")
    page.keyboard.press("Enter")
    page.wait_for_url(stack.url("/audit/"))
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(stack.url("/"))
    for _ in range(2):  # system, then light again
        with page.expect_response("**/theme/"):
            page.keyboard.press("t")
    expect(page.locator("html.dark")).to_have_count(0)


def test_watch_an_export_in_the_tray(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner", path="/settings/data/")
    page.get_by_role("button", name="Start export").click()
    download = page.get_by_role("link", name=re.compile("^Download")).first
    expect(download).to_be_visible(timeout=30_000)
    with page.expect_download() as waiting:
        download.click()
    assert waiting.value.suggested_filename.endswith(".zip")

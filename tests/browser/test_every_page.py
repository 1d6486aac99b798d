"""Every page on a phone and a desktop, in both themes: accessible, and without a script or policy error."""

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, confirm_that_it_is_me, sign_in, still_context
from tests.browser.looking import look

# A walk looks at every page in both themes: longer than a test usually may.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages"), pytest.mark.timeout(600)]

SITE_PAGES = ["/", "/pricing/", "/sign-up/", "/api/v1/docs/", "/api/v1/docs/auth/", "/nothing-here/"]
DOOR_PAGES = ["/account/login/", "/account/password/reset/"]
# Pages that no menu names: forms, questions, and what stands behind a row.
INNER_PAGES = [
    "/settings/invitations/new/", "/settings/roles/new/", "/account/email/", "/account/password/change/",
    "/catalog/unmapped/all/", "/catalog/unmapped/all/?show=left", "/catalog/mappings/", "/catalog/mappings/new/",
    "/settings/security/authenticator-app/", "/settings/security/passkeys/add/", "/settings/security/recovery-codes/",
    "/notifications/settings/", "/picking/new/?tab=to_pick", "/picking/?before=1",
]  # fmt: skip


def _walk(page: Page, stack: Stack, paths: list[str], *, slug: str) -> list[str]:
    found = []
    for path in paths:
        page.goto(stack.url(path, slug=slug))
        page.wait_for_load_state("load")
        page.wait_for_timeout(150)
        # What is still on its way is dimmed, and dimmed text has less contrast.
        expect(page.locator(".htmx-request")).to_have_count(0)
        found += look(page, path)
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_public_pages_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    found = _walk(page, stack, SITE_PAGES, slug="") + _walk(page, stack, DOOR_PAGES, slug="demo")
    found += _walk(page, stack, ["/"], slug="nobody-lives-here")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("who", ["owner", "picker"])
def test_pages_of_the_menu_are_accessible(who: str, width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, who)
    page.goto(stack.url("/search/palette/?q="))
    paths = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
    local = sorted({"/", "/settings/", *(path for path in paths if path.startswith("/"))})
    assert len(local) > 5, "the palette offers the places of the menu"
    found = _walk(page, stack, local, slug="demo")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_code_page_of_a_sign_up_is_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    page.goto(stack.url("/sign-up/", slug=""))
    page.get_by_label("Shop name").fill("Seen")
    page.get_by_label(re.compile("address", re.IGNORECASE)).first.fill(f"seen-{time.time_ns()}")
    page.get_by_label("Your name").fill("Marta")
    page.get_by_label("E-mail").fill(f"marta@{width}{time.time_ns()}.example")
    page.get_by_role("textbox", name="Password").fill("correct horse battery")
    page.get_by_role("button", name="Send code").click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Open shop").click()
    page.locator(".error").wait_for()
    found = look(page, "/sign-up/code/")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_job_and_what_the_header_opens_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner", path="/settings/data/")
    page.get_by_role("button", name="Start export").click()
    page.get_by_role("link", name=re.compile("^Download")).first.wait_for(timeout=30_000)
    found = look(page, "the job")
    for panel in ("#tray", "#bell"):
        page.locator(f"{panel} button").first.click()
        page.locator(f"{panel} .menu:popover-open").wait_for()
        found += look(page, panel)
        page.keyboard.press("Escape")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_behind_the_menu_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner", path=INNER_PAGES[-1])
    found = _walk(page, stack, ["/account/confirm/"], slug="demo")
    confirm_that_it_is_me(page)
    rows = []
    for path in ("/settings/users/", "/settings/roles/", "/audit/"):
        page.goto(stack.url(path))
        rows += page.eval_on_selector_all("#main a[href]", "links => links.map(link => link.getAttribute('href'))")[:40]
    details = {
        next((row for row in rows if re.fullmatch(pattern, row)), "")
        for pattern in (r"/settings/users/[0-9a-f-]{36}/", r"/audit/[0-9a-f-]{36}/")
    }
    assert "" not in details, rows
    found += _walk(page, stack, [*INNER_PAGES, *sorted(details)], slug="demo")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)

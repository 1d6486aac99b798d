"""Pictures arrive by themselves, from our own host alone, and are shown large to whoever stays on one."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Stack, Watched, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


def test_arrive_and_are_shown_large(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 844})
    page = context.new_page()
    watched = Watched(page)
    hosts: set[str | None] = set()
    page.on("request", lambda one: hosts.add(urlsplit(one.url).hostname))
    sign_in(page, stack, "staff", path="/search/?q=3001")
    row = page.locator("tr", has_text="Brick 2 x 4").first
    image = row.locator("img[data-picture]")
    expect(image).to_have_attribute("alt", "")
    before = row.bounding_box()
    page.wait_for_function(
        "() => document.querySelector('tr img[data-picture]')?.naturalWidth === 96", timeout=20_000
    )  # fmt: skip
    assert row.bounding_box() == before, "nothing moves when a picture comes"
    preview = page.locator(".picture-preview")
    image.hover()
    expect(preview).to_be_visible()
    page.wait_for_function("() => document.querySelector('.picture-preview img').naturalWidth === 480")
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    # By keyboard too.
    page.mouse.move(0, 0)
    page.locator("#catalog-q").focus()
    page.keyboard.press("Tab")
    for _press in range(6):
        if page.evaluate("document.activeElement.matches('.item')"):
            break
        page.keyboard.press("Tab")
    expect(preview).to_be_visible()
    context.close()
    assert hosts == {"demo.localhost"}
    assert not watched.problems, "\n".join(watched.problems)

"""A lot is added by its photo, at a desk and on a phone; without a camera or an answer the form goes on by hand."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]


def _photo(color: tuple[int, int, int]) -> FilePayload:
    """Answer a photo as a phone takes it: large, lying on its side."""
    image = Image.new("RGB", (4032, 3024), color)
    image.paste((20, 20, 20), (0, 0, 1500, 1500))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


@pytest.mark.parametrize("width", WIDTHS)
def test_add_a_lot_by_its_photo(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width, has_touch=width == "phone")
    page = context.new_page()
    watched = Watched(page)
    sent: list[int] = []
    page.on("request", lambda one: sent.append(len(one.post_data_buffer or b"")) if "identify" in one.url else None)
    sign_in(page, stack, "staff", path="/inventory/add/")
    found = look(page, "add lot")
    page.locator("#photo-image").set_input_files(_photo((200, 40, 30)))
    suggestions = page.locator("[data-suggestion]")
    expect(suggestions).to_have_count(5)
    expect(page.get_by_alt_text("Your photo")).to_be_visible()
    # Made small on the device.
    assert sent
    assert max(sent) < 150_000
    # The first is sure enough to be taken for what it is; another one can be chosen.
    number = page.locator("#add-no")
    expect(number).to_have_value(suggestions.first.get_attribute("data-item-no") or "?")
    expect(suggestions.first).to_have_attribute("aria-current", "true")
    found += look(page, "suggestions")
    suggestions.nth(1).click()
    chosen = suggestions.nth(1).get_attribute("data-item-no") or "?"
    expect(number).to_have_value(chosen)
    expect(page.locator("#add-color")).to_be_focused()
    page.locator("#add-type").evaluate("field => { field.value = 'PART'; }")
    for text in ("Red", "4"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(rf"{re.escape(chosen)} · Red · New added: 4|4 added to")).first).to_be_visible()
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_number_that_nobody_here_knows_is_asked_for(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "staff", path="/inventory/look-up/?q=1642pb02")
    link = page.get_by_role("link", name=re.compile("1642pb02 Wings Double"))
    expect(link).to_be_visible()
    found = look(page, "looked up")
    link.click()
    expect(page.get_by_label("Number")).to_have_value("1642pb02")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


def test_go_on_by_hand_without_a_camera_or_an_answer(browser: Browser, stack: Stack) -> None:
    # Not watched: a connection that is cut is an error to the browser.
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, stack, "staff", path="/inventory/add/")
    photo = page.locator("form[data-photo]")
    page.get_by_role("button", name="Take photo").click()
    expect(photo.get_by_role("alert")).to_contain_text("hoose a picture")
    page.locator("#photo-image").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    expect(photo.get_by_role("alert")).to_contain_text("This is no picture that we know")
    page.route("**/add/identify/", lambda route: route.abort())
    page.locator("#photo-image").set_input_files(_photo((10, 200, 30)))
    expect(photo.get_by_role("alert")).to_contain_text("Go on by hand")
    page.locator("#add-no").fill("3001")
    page.locator("#add-color").fill("Red")
    page.locator("#add-qty").fill("1")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(re.compile("added")).first).to_be_visible()
    context.close()

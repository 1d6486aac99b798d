"""A seller's day with the list: lots added by keyboard, edited in place, undone, selected over pages, all changed."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

# A walk looks at every page in both themes: longer than a test usually may.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages"), pytest.mark.timeout(600)]

# More than a page of the list holds.
MANY = 60
_ADD = """async ({tag, count}) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  for (let number = 1; number <= count; number += 1) {
    const body = new URLSearchParams({item_type: "PART", item_no: `${tag}${String(number).padStart(3, "0")}`, next: "1",
      color_id: "Blue", item_name: "Zirconia", condition: "NEW", qty_available: "10", unit_price: "0.10"});
    const answer = await fetch("/inventory/add/", {method: "POST", body, headers: {"X-CSRF-Token": token}});
    if (!answer.ok) throw new Error(`${answer.status}`);
  }
}"""


def _fill(page: Page, stack: Stack, count: int) -> str:
    """Make lots of the test's own and open the list of them; answer with what their numbers begin."""
    tag = f"z{uuid.uuid4().hex[:10]}n"
    page.evaluate(_ADD, {"tag": tag, "count": count})
    page.goto(stack.url(f"/inventory/?q={tag}"))
    expect(page.locator("tr[data-lot]")).to_have_count(min(count, 50))
    return tag


def _cell(page: Page, row: int, field: str) -> str:
    return f"tr[data-lot] >> nth={row} >> [data-edit={field}]"


def test_add_lots_by_keyboard_alone(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "staff", path="/inventory/")
    number = f"k{uuid.uuid4().hex[:10]}"
    page.keyboard.press("n")
    page.wait_for_url(stack.url("/inventory/add/"))
    for color, quantity in (("Red", "12"), ("Tan", "7")):
        expect(page.get_by_label("Number")).to_be_focused()
        for text in (number, color, quantity):
            page.keyboard.type(text)
            page.keyboard.press("Enter")
        expect(page.get_by_text(f"{number} · {color} · New added: {quantity}").first).to_be_visible()
    # The same again is the same lot, unless one says otherwise.
    for text in (number, "Red"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.get_by_text("You have this lot already")).to_be_visible()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"3 added to {number} · Red · New").first).to_be_visible()
    page.goto(stack.url(f"/inventory/?q={number}+red"))
    expect(page.locator(_cell(page, 0, "qty_available"))).to_have_text("15")


def test_add_a_lot_by_what_another_platform_calls_it(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "staff", path="/inventory/add/")
    number, offers = page.get_by_role("combobox", name="Number"), page.get_by_role("listbox", name="Items")
    # An element id is an item in a color: Enter takes it, and again the color.
    page.keyboard.type("4211385")
    expect(offers.get_by_role("option", selected=True)).to_contain_text("LEGO element 4211385 → 3001 Light Bluish Gray")
    page.keyboard.press("Enter")
    expect(number).to_have_value("3001")
    expect(page.get_by_label("Color")).to_have_value("Light Bluish Gray")
    expect(page.get_by_label("Color")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Brick 2 x 4")
    # A name offers, and takes nothing by itself.
    number.fill("plate 1x2")
    expect(offers.get_by_role("option").first).to_contain_text("3023")
    expect(offers.get_by_role("option", selected=True)).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(number).to_have_value("3023")
    page.get_by_label("Color").fill("Chrome Gold")
    page.get_by_label("Color").press("Enter")
    expect(page.get_by_text("Not known in Chrome Gold")).to_be_visible()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("3023 · Chrome Gold · New")).first).to_be_visible()


def test_edit_in_place_and_take_it_back(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    _fill(page, stack, 2)
    page.locator(_cell(page, 0, "unit_price")).click()
    page.keyboard.type("+0.02")
    page.keyboard.press("Enter")
    expect(page.locator(_cell(page, 0, "unit_price"))).to_have_text("0.12")
    # Enter goes on in the row below, Escape leaves it as it was.
    expect(page.locator("tr[data-lot] >> nth=1 >> input[name=entry]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(_cell(page, 1, "unit_price"))).to_be_focused()
    # Tab goes on to the next cell of the row.
    page.locator(_cell(page, 0, "qty_available")).click()
    page.keyboard.type("=40")
    page.keyboard.press("Tab")
    expect(page.locator(_cell(page, 0, "qty_available"))).to_have_text("40")
    page.keyboard.press("Escape")
    expect(page.locator(".toast").filter(has_text="10 → 40")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(_cell(page, 0, "qty_available"))).to_have_text("10")
    # What can't be stays, with the reason beside it.
    page.locator(_cell(page, 0, "qty_available")).click()
    page.keyboard.type("-99")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="can't be below 0")).to_be_visible()
    expect(page.locator("tr[data-lot] >> nth=0 >> input[name=entry]")).to_have_value("-99")


def test_two_people_change_the_same_price(page: Page, browser: Browser, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, 1)
    colleague = browser.new_context().new_page()
    sign_in(colleague, stack, "staff", path=f"/inventory/?q={tag}")
    for who, price in ((colleague, "0.50"), (page, "0.70")):
        who.locator(_cell(who, 0, "unit_price")).click()
        who.keyboard.type(price)
        who.keyboard.press("Enter")
        if who is colleague:
            expect(who.locator(_cell(who, 0, "unit_price"))).to_have_text(price)
    colleague.context.close()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Somebody else changed this meanwhile")
    dialog.get_by_label(re.compile("Theirs")).check()
    dialog.get_by_role("button", name="Save choice").click()
    # One goes on where one was.
    expect(dialog).to_be_hidden()
    expect(page.locator(_cell(page, 0, "unit_price"))).to_have_text("0.50")
    assert page.url == stack.url(f"/inventory/?q={tag}")


def test_what_was_typed_outlives_the_session(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, 1)
    page.context.clear_cookies(name="session")
    page.locator(_cell(page, 0, "remarks")).click()
    page.keyboard.type("drawer 7")
    page.keyboard.press("Enter")
    sheet = page.locator("#login-sheet")
    # Not now: what was typed stays, and is sent again.
    sheet.get_by_role("textbox", name="Password").press("Escape")
    entry = page.locator("tr[data-lot] >> nth=0 >> input[name=entry]")
    expect(entry).to_have_value("drawer 7")
    entry.press("Enter")
    sheet.get_by_role("textbox", name="Password").fill(PASSWORD)
    sheet.get_by_role("button", name="Sign in").click()
    expect(sheet).to_be_hidden()
    expect(page.locator(".toast").filter(has_text=f"Remarks of {tag}001 Blue changed")).to_be_visible()
    page.reload()
    expect(page.locator(_cell(page, 0, "remarks"))).to_have_text("drawer 7")


def test_select_over_pages_and_change_all_at_once(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, MANY)
    bar = page.locator("#bulk-bar")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 selected")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url(re.compile("cursor="))
    page.get_by_label("Select this page").check()
    expect(bar).to_contain_text(f"{1 + MANY - 50} selected")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".row-check").first).to_be_checked()
    page.go_back()
    expect(bar).to_contain_text(f"{1 + MANY - 50} selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.goto(stack.url(f"/inventory/?q={tag}"))
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text(f"{MANY} selected")
    bar.get_by_role("button", name="Price…").click()
    sheet = page.locator("#sheet")
    sheet.get_by_label("By, or to").fill("100")
    sheet.get_by_role("button", name="Preview").click()
    before = page.locator(_cell(page, 5, "unit_price")).inner_text()
    sheet.get_by_role("button", name=f"Change {MANY} lots").click()
    expect(page.locator(_cell(page, 5, "unit_price"))).to_have_text(f"{float(before) * 2:.2f}")
    expect(page.locator(".toast")).to_contain_text(f"{MANY} lots changed")
    page.keyboard.press("z")
    expect(page.locator(_cell(page, 5, "unit_price"))).to_have_text(before)


def test_walk_through_lots_beside_the_list(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, 3)
    address = stack.url(f"/inventory/?q={tag}&sort=-number")
    page.goto(address)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    sheet = page.locator("#sheet")
    expect(sheet).to_contain_text(f"{tag}003")
    opened = page.url
    assert re.search(r"/inventory/[0-9a-f-]{36}/$", opened)
    sheet.get_by_role("heading").first.click()
    page.keyboard.press("j")
    expect(sheet).to_contain_text(f"{tag}002")
    sheet.get_by_label("Remarks").fill("bin 59")
    sheet.get_by_label("Description").click()
    expect(page.locator(".toast")).to_contain_text(f"Remarks of {tag}002 Blue changed")
    sheet.get_by_role("link", name="Movements").click()
    expect(sheet).to_contain_text("Lot added")
    page.keyboard.press("Escape")
    page.wait_for_url(address)
    expect(page.locator(_cell(page, 1, "remarks"))).to_have_text("bin 59")
    page.goto(opened)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{tag}003")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("who", ["owner", "readonly"])
def test_pages_of_the_stock_are_accessible(who: str, width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, 3)
    lot = str(page.locator("[data-row-link]").first.get_attribute("href"))
    context.clear_cookies()
    sign_in(page, stack, who)
    paths = ["/inventory/", f"/inventory/?q={tag}&density=compact&nonsense=1", "/inventory/?q=nothing+at+all", lot,
             f"{lot}?tab=movements", f"{lot}?tab=history", f"{lot}?tab=listings", "/inventory/filters/",
             "/inventory/columns/", "/inventory/views/new/", "/search/?q=red+brick+2x4", "/search/?q=nothing+at+all",
             "/catalog/items/PART/3001/?color=5", "/catalog/items/SET/21200-1/"]  # fmt: skip
    if who == "owner":
        paths += [
            "/inventory/add/",
            "/inventory/consolidate/",
            f"{lot}split/",
            f"{lot}merge/",
            "/inventory/import/",
            f"/inventory/locations/move/?lot={lot.split('/')[2]}",
            f"/inventory/lots{lot[10:]}count/",
            f"/inventory/lots{lot[10:]}purchase/",
            f"/inventory/lots/labels/?id={lot.split('/')[2]}",
        ]
    found = []
    for path in paths:
        page.goto(stack.url(path))
        page.wait_for_load_state("networkidle")
        found += look(page, path)
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


def test_columns_are_as_wide_as_one_likes(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    tag = _fill(page, stack, 1)
    head = page.get_by_role("columnheader", name="Color")
    edge = page.get_by_role("separator", name="Width of Color")

    def width() -> int:
        found: int = head.evaluate("head => head.offsetWidth")
        return found

    natural, at = width(), edge.bounding_box()
    assert at
    page.mouse.move(at["x"] + 4, at["y"] + 4)
    page.mouse.down()
    page.mouse.move(at["x"] + 104, at["y"] + 4, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(f"color:{natural + 100},"))
    assert width() == natural + 100
    edge.press("ArrowLeft")
    page.wait_for_url(re.compile(f"color:{natural + 84},"))
    # It is the address that knows: sorted and reloaded it stays so, and saved with a view.
    page.get_by_role("link", name="Cond.").click()
    page.wait_for_url(re.compile("sort=condition"))
    page.reload()
    expect(page.locator("tr[data-lot]")).to_contain_text([tag])
    assert width() == natural + 84
    edge.dblclick()
    expect(edge).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    page.wait_for_url(lambda url: f"color:{natural + 84}," not in url)
    assert abs(width() - natural) < 30  # as wide as its content, beside others that are now as they are


def test_put_a_lot_somewhere_else_by_keyboard(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner")
    code = f"L{uuid.uuid4().hex[:8]}"
    _fill(page, stack, 2)
    where = page.locator(_cell(page, 0, "location"))
    # A code that isn't there is no location yet; it is made when one says so.
    where.click()
    entry = page.get_by_role("combobox", name="Location")
    page.keyboard.type(code)
    offers = page.get_by_role("listbox", name="Locations")
    expect(offers.get_by_role("option")).to_have_text([f"Make {code}"])
    page.keyboard.press("Escape")
    expect(offers).to_be_hidden()
    expect(entry).to_have_value(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text=f"There is no location {code} yet.")).to_be_visible()
    expect(page.locator("tr[data-lot] >> nth=0").get_by_role("combobox")).to_have_value(code)
    expect(offers.get_by_role("option")).to_have_text([f"Make {code}"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").filter(has_text=f"moved to {code}")).to_be_visible()
    expect(where).to_have_text(code)
    # Enter went on in the row below, where the same place is found by its beginning.
    page.keyboard.type(code[:6].lower())
    expect(offers.get_by_role("option").filter(has_text=code)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(_cell(page, 1, "location"))).to_have_text(code)
    # And nowhere again.
    where.click()
    entry.fill("")
    page.keyboard.press("Enter")
    expect(where).to_have_text("–")
    page.keyboard.press("Escape")

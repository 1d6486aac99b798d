"""A seller's order from the first press to the last: typed in, shipped, refunded; on a phone and on a desktop."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_ADD_LOT = """async ({number}) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const body = new URLSearchParams({item_type: "PART", item_no: number, next: "1", color_id: "Blue",
    item_name: "Zirconia", condition: "NEW", qty_available: "10", unit_price: "0.50"});
  const answer = await fetch("/inventory/add/", {method: "POST", body, headers: {"X-CSRF-Token": token}});
  if (!answer.ok) throw new Error(`${answer.status}`);
}"""


@pytest.mark.parametrize("width", WIDTHS)
def test_an_order_is_typed_in_shipped_and_refunded(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "staff", path="/orders/")
    number = f"o{uuid.uuid4().hex[:10]}"
    page.evaluate(_ADD_LOT, {"number": number})

    page.goto(stack.url("/orders/new/"))
    problems = look(page, "/orders/new/")
    page.get_by_label("Search lots").fill(number)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile(f"Add {number}")).click()
    page.get_by_label(re.compile(f"Pieces of {number}")).fill("4")
    page.locator("input[name=buyer_name]").fill("Ana Browser")
    page.get_by_role("button", name="Add order").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pending")
    problems += look(page, "an order")

    page.get_by_role("button", name="Ship order").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Shipped")
    page.get_by_role("link", name="Refund").click()
    page.get_by_label("Reason").fill("Came back")
    page.get_by_label("Put the pieces back to stock").check()
    problems += look(page, "a refund")
    page.get_by_role("button", name="Record refund").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refunded")
    page.goto(stack.url(f"/inventory/?q={number}"))
    expect(page.locator("[data-edit=qty_available]").first).to_have_text("10")
    page.goto(stack.url(f"/orders/?q={number}"))
    expect(page.get_by_text("Ana Browser")).to_be_visible()
    problems += look(page, "/orders/")
    context.close()
    assert not problems + watched.problems, "\n".join(problems + watched.problems)


_COLUMNS = "Order,Placed,Buyer,Country,Shipping,Payment,Type,Item number,Color,Condition,Pieces,Price"


@pytest.mark.parametrize("width", WIDTHS)
def test_orders_come_in_by_a_file(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "staff", path="/orders/")
    lot, number = (f"f{uuid.uuid4().hex[:10]}" for _ in range(2))
    page.evaluate(_ADD_LOT, {"number": lot})
    good = f"{number},2026-03-11,Ana File,Germany,4.50,Paid,Part,{lot},Blue,New,4,0.50"
    more = f"{number},,,,,,Part,3001,Red,Used,2,0.10"
    wrong = f"{number}-x,2026-03-11,Bo,Atlantis,,Paid,Part,{lot},Blue,New,4,0.50"
    content = "\n".join([_COLUMNS, good, more, wrong]).encode()

    page.goto(stack.url("/orders/?view=all"))
    page.get_by_role("link", name="Import file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import orders")
    page.get_by_text("What the columns are called").click()
    problems = look(page, "/orders/import/")
    page.locator("input[type=file]").set_input_files({"name": "fair.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Read file").click()
    expect(page.get_by_text("Nothing has changed yet")).to_be_visible(timeout=60_000)
    page.get_by_text("2 lines, 1 of no lot").click()
    expect(page.get_by_role("link", name=lot)).to_be_visible()
    problems += look(page, "orders of a file")
    page.get_by_role("link", name="Problems").click()
    expect(page.get_by_text("Line 4: Country: “Atlantis” is no country")).to_be_visible()
    problems += look(page, "problems of a file")

    page.get_by_role("button", name="Import 1 order").click()
    expect(page.locator("#import").get_by_text("1 order added")).to_be_visible(timeout=60_000)
    problems += look(page, "a file that came in")
    page.get_by_role("link", name="New").click()
    page.get_by_role("link", name=number, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pending")
    page.goto(stack.url(f"/inventory/?q={lot}"))
    expect(page.locator("[data-edit=qty_available]").first).to_have_text("6")
    context.close()
    assert not problems + watched.problems, "\n".join(problems + watched.problems)

"""A walk as the shop sees it: orders chosen, totes given out, what was missing said from paper; and the map."""

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Two orders that share a lot; one wants another lot, too.
_MAKE = """async ({name}) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const post = async (path, body) => {
    const headers = {"Content-Type": "application/json", "X-CSRF-Token": token};
    const answer = await fetch(`/api/v1${path}`, {method: "POST", headers, body: JSON.stringify(body)});
    if (!answer.ok) throw new Error(`${path} ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const lots = [];
  for (const index of [1, 2]) {
    const place = await post("/locations", {code: `${name}-${index}-1`, zone: name, aisle: `${index}`, shelf: "1"});
    const lot = {item_type: "PART", item_no: `${name}${index}`, item_name: `Brick ${index}`, color_id: 5,
      condition: "NEW", qty_available: 20, unit_price: "0.10", weight_grams: "2", location_id: place.id};
    lots.push((await post("/inventory", lot)).id);
  }
  const orders = [];
  for (const lines of [[[0, 6]], [[0, 8], [1, 5]]]) {
    const wanted = lines.map(([lot, qty]) => ({inventory_item: lots[lot], qty}));
    const values = {lines: wanted, buyer_name: `Ana ${name}`, is_paid: true};
    orders.push(await post("/orders", values));
  }
  return orders.map(order => ({id: order.id, number: order.external_order_id}));
}"""


def _made(page: Page) -> tuple[str, list[dict[str, Any]]]:
    name = f"S{uuid.uuid4().hex[:5].upper()}"
    orders: list[dict[str, Any]] = page.evaluate(_MAKE, {"name": name})
    return name, orders


@pytest.mark.parametrize("width", WIDTHS)
def test_orders_are_picked_from_paper_and_what_is_short_is_solved(
    width: str, browser: Browser, stack: Stack
) -> None:  # fmt: skip
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "staff", path="/picking/")
    name, (first, second) = _made(page)

    page.goto(stack.url(f"/picking/new/?ids={first['id']},{second['id']}"))
    expect(page.get_by_role("heading", name="In this session 2")).to_be_visible()
    problems = look(page, "/picking/new/")
    page.get_by_role("button", name=f"Order {first['number']} gets a later tote").click()
    expect(page.locator("[data-sortable-item]").first).to_contain_text(second["number"])
    page.get_by_role("button", name="Make session of 2 orders").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Draft")
    problems += look(page, "a draft")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Active")
    problems += look(page, "a session under way")

    page.get_by_role("link", name="Confirm from paper").click()
    problems += look(page, "all picked except")
    page.get_by_label(f"Missing of 5 for A, {name}2 · Red · New").fill("2")
    page.get_by_role("button", name="Confirm 19 pieces").click()
    expect(page.get_by_text("17 of 19")).to_have_count(0)
    expect(page.locator(".shares, .progress").first).to_be_visible()
    page.get_by_role("button", name="Finish session").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Completed")
    expect(page.get_by_role("heading", name=re.compile("is short"))).to_be_visible()
    page.get_by_text("Words for the buyer").click()
    page.get_by_label(f"Grams of order {first['number']}").fill("12")
    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_text("It fits.")).to_be_visible()
    problems += look(page, "a session that is over")
    page.goto(stack.url("/picking/"))
    problems += look(page, "/picking/")
    context.close()
    assert not problems + watched.problems, "\n".join(problems + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_map_is_put_together_and_looked_at(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner", path="/picking/")
    name, _orders = _made(page)
    page.goto(stack.url("/settings/picking/"))
    page.get_by_label("Parallel aisles").check()
    # Closed where there are aisles on the map already; who puts one there goes on with the next.
    fold = page.locator("details", has_text="Not on the map")
    if fold.get_attribute("open") is None:
        fold.locator("summary").click()
    for aisle in (2, 1):
        chip = page.locator(f'button[value="add:{name}\t{aisle}"]')
        # A shop with very many aisles shows the first of them; the form takes any.
        if not chip.count():
            page.locator("[data-sorted]").evaluate(
                "(button, value) => { button.value = value; button.click(); }", f"add:{name}\t{aisle}"
            )
        else:
            chip.click()
        expect(page.get_by_role("button", name=f"Take zone {name}, aisle {aisle} off the map")).to_be_attached()
    expect(page.locator("svg.storage-plan")).to_be_visible()
    # What the bars above and below cover in part would be too small to press.
    page.evaluate("scrollTo(0, 0)")
    problems = look(page, "the map of aisles")
    page.get_by_role("button", name=f"Move zone {name}, aisle 1 to the left").click()
    expect(page.locator("[data-sortable-item]").last).to_contain_text(f"Zone {name}, aisle 2")

    page.get_by_label("Free: places have coordinates").check()
    page.get_by_label("Location to place").fill(f"{name}-1-1")
    page.locator("svg.storage-plan").click(position={"x": 120, "y": 80})
    expect(page.locator("#id_points")).to_have_value(re.compile(rf"{name}-1-1  \d+\.\d  \d+\.\d"))
    page.evaluate("scrollTo(0, 0)")
    problems += look(page, "the map of points")
    page.locator("#id_points").fill("nowhere 1 2")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("there is no location nowhere")).to_be_visible()
    context.close()
    expected = [problem for problem in watched.problems if "422" not in problem]
    assert not problems + expected, "\n".join(problems + expected)

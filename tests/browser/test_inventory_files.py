"""A file's way through the house: dropped, looked at, imported, worked with, taken back, and out again."""

import csv
import io
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_FIRST_PRICE = "tr[data-lot] >> nth=0 >> [data-edit=unit_price]"
_ITEM = (
    "<Item><ItemID>{no}</ItemID><ItemTypeID>P</ItemTypeID><ColorID>{color}</ColorID><ItemName>{name}</ItemName>"
    "<Qty>{qty}</Qty><Price>{price}</Price><Condition>{condition}</Condition><Remarks>{remarks}</Remarks></Item>"
)


def _bsx(*items: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE BrickStoreXML>\n<BrickStoreXML><Inventory Currency="EUR">\n'
        + "\n".join(items)
        + "\n</Inventory></BrickStoreXML>\n"
    )


def _item(
    no: str, *, color: int = 5, name: str = "Wagon wheel", qty: str = "10", remarks: str = "", condition: str = "N"
) -> str:
    return _ITEM.format(no=no, color=color, name=name, qty=qty, price="0.40", remarks=remarks, condition=condition)


# Held over the page the zone lights up, as a person sees before letting go.
_OVER = """(file) => {
  const carried = new DataTransfer();
  carried.items.add(new File([file.text], file.name));
  const over = document.querySelector("h1");
  const fire = (kind) =>
    over.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: carried}));
  fire("dragover");
  if (!document.querySelector("[data-drop].over")) return false;
  fire("drop");
  return true;
}"""


def _drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the import page, beside the zone, where it is read all the same."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Import")
    page.wait_for_function(_OVER, arg={"text": text, "name": name})


def _import(page: Page, stack: Stack, name: str, *items: str) -> str:
    """Drop a file and wait for its preview; answer the import's address."""
    page.goto(stack.url("/inventory/import/"))
    _drop(page, name, _bsx(*items))
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_text("Nothing has changed yet")).to_be_visible()
    return page.url


def _search(page: Page, text: str, *, lots: int) -> None:
    """Type into the list's search and wait until it shows exactly these."""
    page.get_by_label("Search lots").fill(text)
    page.wait_for_url(re.compile(rf"[?&]q={text}\b"))
    expect(page.locator("tr[data-lot]")).to_have_count(lots)


def _prices(page: Page) -> list[str]:
    return page.locator("tr[data-lot] [data-edit=unit_price]").all_inner_texts()


def _download(page: Page, label: str, place: Path) -> Path:
    """Take the list out as the menu offers it."""
    page.get_by_role("button", name="Export", exact=True).first.click()
    with page.expect_download() as coming:
        page.locator("#export-menu").get_by_role("link", name=label).click()
    coming.value.save_as(place)
    return place


def _csv_rows(page: Page, place: Path) -> list[list[str]]:
    text = _download(page, "CSV", place).read_text("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def _edit_a_cell(page: Page) -> None:
    """Change the first lot's price by a sum."""
    price = page.locator(_FIRST_PRICE)
    price.click()
    page.keyboard.type("*1,5")
    page.keyboard.press("Enter")
    expect(price).to_have_text("0.60")
    page.keyboard.press("Escape")


def _double_all_prices_and_undo(page: Page) -> None:
    """Change both lots at once after a look at what it does, and take that back."""
    for check in page.locator(".row-check").all():
        check.check()
    bar, sheet, price = page.locator("#bulk-bar"), page.locator("#sheet"), page.locator(_FIRST_PRICE)
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Price…").click()
    sheet.get_by_label("By, or to").fill("100")
    sheet.get_by_role("button", name="Preview").click()
    expect(sheet.get_by_role("region", name="The first lots before and after")).to_contain_text("1.20")
    sheet.get_by_role("button", name="Change 2 lots").click()
    expect(price).to_have_text("1.20")
    page.locator(".toast").filter(has_text="2 lots changed").get_by_role("button", name="Undo").click()
    expect(price).to_have_text("0.60")
    assert _prices(page) == ["0.60", "0.40"]


def _export_one(page: Page, place: Path) -> None:
    """Take a chosen lot out alone."""
    page.locator(".row-check").first.check()
    page.locator("#bulk-bar").get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.locator("#export-chosen").get_by_role("button", name="BrickStore").click()
    coming.value.save_as(place)
    assert place.read_text().count("<Item>") == 1


def _take_back(page: Page) -> None:
    """Revert the import from its page; what was changed since is asked about."""
    page.get_by_role("link", name="Revert import").click()
    sheet = page.locator("#sheet")
    sheet.get_by_label("Delete it all the same").check()
    sheet.get_by_role("button", name=re.compile("^Revert ")).click()
    expect(page.get_by_text("This import was taken back")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_file_comes_in_is_worked_with_is_taken_back_and_goes_out(
    width: str, browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    watched = Watched(page)
    tag = f"w{uuid.uuid4().hex[:10]}"
    sign_in(page, stack, "owner", path="/inventory/")
    page.get_by_role("link", name="Import", exact=True).first.click()
    address = _import(
        page, stack, f"{tag}.bsx",
        _item(f"{tag}-1", remarks="=1+1"), _item(f"{tag}-2", name="积木 &lt;b&gt;轮&lt;/b&gt;"),
        _item(f"{tag}-3", condition="U"), _item(f"{tag}-4", color=99999),
    )  # fmt: skip
    # The preview says what it will do, and what can't be.
    outcomes = page.get_by_role("navigation", name="Outcome")
    outcomes.get_by_role("link", name="Problem").click()
    expect(page.get_by_text("99999 isn't one of BrickLink's colors")).to_be_visible()
    outcomes.get_by_role("link", name="New").click()
    expect(page.get_by_text("积木 <b>轮</b>")).to_be_visible()
    # Pressed twice it is imported once.
    page.get_by_role("button", name="Import 3 lines").dblclick()
    expect(page.get_by_text("3 lots added, 0 changed, 0 unchanged, 1 line with a problem left out.")).to_be_visible()
    # Found, and narrowed.
    page.get_by_role("link", name="Show inventory").click()
    _search(page, tag, lots=3)
    page.get_by_role("link", name="Filter", exact=True).click()
    sheet = page.locator("#sheet")
    sheet.get_by_label("Condition", exact=True).select_option("New")
    sheet.get_by_role("button", name="Show lots").click()
    expect(page.locator("tr[data-lot]")).to_have_count(2)
    expect(sheet).to_be_hidden()
    _edit_a_cell(page)
    _double_all_prices_and_undo(page)
    # What is filtered goes out, without a formula in it.
    rows = _csv_rows(page, tmp_path / "some.csv")
    assert len(rows) == 2
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
    _export_one(page, tmp_path / "one.bsx")
    page.goto(address)
    _take_back(page)
    # Nothing is left of it, here or in a file.
    page.get_by_role("link", name="Show inventory").click()
    _search(page, tag, lots=0)
    assert _csv_rows(page, tmp_path / "none.csv") == []
    context.close()
    assert not watched.problems, watched.problems


def test_what_is_no_file_of_stock_is_said_beside_it(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner", path="/inventory/import/")
    _drop(page, "stock.bsx", "%PDF-1.4")
    expect(page.get_by_text("This is a PDF.")).to_be_visible()
    page.evaluate("document.querySelector('[data-drop] input').dataset.limitMb = '0.00001'")
    page.set_input_files("input[type=file]", {"name": "big.bsx", "mimeType": "", "buffer": b"x" * 100})
    told = page.locator("[data-drop] input").evaluate("input => input.validationMessage")
    assert "This file has 100 bytes" in told
    page.get_by_role("button", name="Read file").click()
    assert page.url.endswith("/inventory/import/")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_an_import_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    watched = Watched(page)
    tag = f"a{uuid.uuid4().hex[:10]}"
    sign_in(page, stack, "owner", path="/inventory/import/")
    found = look(page, "import")
    odd = f"aa;{tag};cc\nqq-1;5;0,10\nqq-2;7;0,20\n"
    page.set_input_files("input[type=file]", {"name": f"{tag}.csv", "mimeType": "", "buffer": odd.encode()})
    page.get_by_role("button", name="Read file").click()
    page.get_by_text("Say what the columns mean").wait_for()
    found += look(page, "columns")
    _import(page, stack, f"{tag}.bsx", _item(f"{tag}-1", name="W" * 200), _item(f"{tag}-2", color=99999, qty="-5"))
    for tab in ("New", "Problem"):
        link = page.get_by_role("navigation", name="Outcome").get_by_role("link", name=tab)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        found += look(page, f"preview, {tab}")
    page.get_by_role("button", name="Import 1 line").click()
    expect(page.get_by_text("1 lot added")).to_be_visible()
    found += look(page, "the result")
    page.get_by_role("link", name="Show inventory").click()
    page.get_by_role("button", name="Export", exact=True).first.click()
    expect(page.locator("#export-menu")).to_be_visible()
    found += look(page, "the export menu")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)

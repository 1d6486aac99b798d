"""A file's way through the house: dropped, looked at, imported, worked with, taken back in part, and out again."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Stack, Watched, sign_in
from tests.browser.test_every_page import WIDTHS, _check

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_ITEM = (
    "<Item><ItemID>{no}</ItemID><ItemTypeID>P</ItemTypeID><ColorID>{color}</ColorID><ItemName>{name}</ItemName>"
    "<Qty>{qty}</Qty><Price>{price}</Price><Condition>N</Condition><Remarks>{remarks}</Remarks></Item>"
)


def _bsx(*items: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE BrickStoreXML>\n<BrickStoreXML><Inventory Currency="EUR">\n'
        + "\n".join(items)
        + "\n</Inventory></BrickStoreXML>\n"
    )


def _item(no: str, *, color: int = 5, name: str = "Zwagon wheel", qty: str = "10", remarks: str = "") -> str:
    return _ITEM.format(no=no, color=color, name=name, qty=qty, price="0.40", remarks=remarks)


_DROP = """(file) => {
  const carried = new DataTransfer();
  carried.items.add(new File([file.text], file.name));
  const over = document.querySelector("h1");
  for (const kind of ["dragover", "drop"])
    over.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: carried}));
}"""


def test_a_file_comes_in_is_worked_with_and_goes_out(page: Page, stack: Stack, tmp_path: Path) -> None:
    sign_in(page, stack, "staff", path="/inventory/")
    page.get_by_role("link", name="Import", exact=True).click()
    content = _bsx(
        _item("zwag1", remarks="=1+1"), _item("zwag2", name="积木 &lt;b&gt;轮&lt;/b&gt;"), _item("zwag3", color=99999)
    )
    # Dropped beside the zone, it is read all the same.
    page.evaluate(_DROP, {"text": content, "name": "wagon.bsx"})
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("wagon.bsx")
    page.get_by_role("link", name="Problem").click()
    expect(page.get_by_text("99999 isn't one of BrickLink's colors")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("积木 <b>轮</b>")).to_be_visible()
    page.get_by_role("button", name="Import 2 lines").dblclick()
    expect(page.get_by_text("2 lots added, 0 changed, 0 unchanged, 1 line with a problem left out.")).to_be_visible()
    page.get_by_role("link", name="Show inventory").click()
    page.get_by_label("Search lots").fill("zwag")
    expect(page.locator("tr[data-lot]")).to_have_count(2)
    price = page.locator("tr[data-lot] >> nth=0 >> [data-edit=unit_price]")
    price.click()
    page.keyboard.type("*1,5")
    page.keyboard.press("Enter")
    expect(price).to_have_text("0.60")
    page.keyboard.press("Escape")
    pieces = page.locator("tr[data-lot] >> nth=0 >> [data-edit=qty_available]")
    pieces.click()
    page.keyboard.type("1,204")
    page.keyboard.press("Enter")
    expect(pieces).to_have_text("1,204")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    expect(pieces).to_have_text("10")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    path = tmp_path / "out.csv"
    coming.value.save_as(path)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert len(rows) == 3
    assert any("0.6" in cell for cell in rows[1])
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
    page.locator(".row-check").first.check()
    page.locator("#bulk-bar").get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.locator("#export-chosen").get_by_role("button", name="BrickStore").click()
    coming.value.save_as(tmp_path / "out.bsx")
    assert (tmp_path / "out.bsx").read_text().count("<Item>") == 1


def test_what_is_no_file_of_stock_is_said_beside_it(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "owner", path="/inventory/import/")
    page.evaluate(_DROP, {"text": "%PDF-1.4", "name": "stock.bsx"})
    expect(page.get_by_text("This is a PDF.")).to_be_visible()
    page.evaluate("document.querySelector('[data-drop] input').dataset.limitMb = '0.00001'")
    page.set_input_files("input[type=file]", {"name": "big.bsx", "mimeType": "", "buffer": b"x" * 100})
    told = page.locator("[data-drop] input").evaluate("input => input.validationMessage")
    assert "This file has 100 bytes" in told
    page.get_by_role("button", name="Read file").click()
    assert page.url.endswith("/inventory/import/")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_an_import_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = browser.new_context(viewport={"width": WIDTHS[width], "height": 844})
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner", path="/inventory/import/")
    found = [line for theme in ("light", "dark") for line in _check(page, theme, "import")]
    odd = "aa;bb;cc\nqq-1;5;0,10\nqq-2;7;0,20\n"
    page.set_input_files("input[type=file]", {"name": f"{width}.csv", "mimeType": "", "buffer": odd.encode()})
    page.get_by_role("button", name="Read file").click()
    page.get_by_text("Say what the columns mean").wait_for()
    found += [line for theme in ("light", "dark") for line in _check(page, theme, "columns")]
    page.goto(stack.url("/inventory/import/"))
    content = _bsx(_item("axe1", name="W" * 200), _item("axe2", color=99999, qty="-5"))
    page.set_input_files("input[type=file]", {"name": "axe.bsx", "mimeType": "", "buffer": content.encode()})
    page.get_by_role("button", name="Read file").click()
    page.get_by_role("button", name=re.compile("^Import 1 line")).wait_for()
    for tab in ("New", "Problem"):
        page.get_by_role("navigation", name="Outcome").get_by_role("link", name=tab).click()
        page.wait_for_load_state("networkidle")
        found += [line for theme in ("light", "dark") for line in _check(page, theme, f"preview, {tab}")]
    page.get_by_role("button", name="Discard file").click()
    page.wait_for_url(stack.url("/inventory/import/"))
    page.goto(stack.url("/inventory/"))
    if page.get_by_role("button", name="Export").count():
        page.get_by_role("button", name="Export").click()
        found += [line for theme in ("light", "dark") for line in _check(page, theme, "the export menu")]
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)

"""Two stores and one stock, from the first comparison to a sale: the demo's stores, whose marketplaces are imitated."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WIDTHS, Stack, Watched, sign_in, still_context
from tests.browser.looking import look

# Several comparisons, and what is pushed by itself: longer than a test usually may.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

Control = Callable[..., Any]
_PATIENCE_MS = 120_000
_BRICKLINK, _BRICKOWL, _STOCK = "Demo Bricks on BrickLink", "Demo Bricks on Brick Owl", "Your stock"


def _control_of(stack: Stack) -> Control:
    """Answer what steers the marketplaces that `bin/up` imitates, as its log says."""
    deadline, said = time.monotonic() + _PATIENCE_MS / 1000, None
    while said is None and time.monotonic() < deadline:
        log = (stack.data.parent / "up.log").read_text(errors="replace")
        said = re.search(r"sandbox at (http\S+), control token ([^\s,]+)", log)
        time.sleep(0.2)
    assert said is not None, "the marketplaces are imitated"
    url, token = said.groups()

    def control(method: str, path: str, body: Any = None) -> Any:
        request = Request(  # noqa: S310  # the sandbox of this test
            f"{url}/__sandbox/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # see above
            return json.loads(answer.read() or b"null")

    return control


def _seller(control: Control, service: str) -> int:
    return next(int(row["id"]) for row in control("GET", "sellers") if row["service"] == service)


def _compare(page: Page, stack: Stack, source: str, target: str) -> None:
    """Start a run by the wizard, and wait for its plan."""
    page.goto(stack.url("/sync/new/"))
    page.locator("#id_source").select_option(label=source)
    expect(page.locator("#id_source option:checked")).to_have_text(source)
    page.wait_for_load_state("networkidle")
    page.locator("#id_target").select_option(label=target)
    expect(page.locator(".run-sides section").last).to_contain_text("Price" if target != _STOCK else "Your lots")
    page.get_by_role("button", name="Compare stores").click()
    expect(page.locator("#run .badge").first).to_have_text("Preview ready", timeout=_PATIENCE_MS)


def _approve(page: Page) -> None:
    """Approve the plan that is shown, and wait until it is carried out."""
    page.get_by_role("link", name=re.compile("^Approve")).click()
    page.locator("#sheet").get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.locator("#run .badge").first).to_have_text("Completed", timeout=_PATIENCE_MS)


def _kinds(control: Control, service: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Answer the lots of the demo's seller there by what they are."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in control("GET", f"sellers/{_seller(control, service)}/lots"):
        found.setdefault((row["type"], row["no"], row["color_id"]), []).append(row)
    return found


def _followed(control: Control, before: dict[tuple[Any, ...], list[dict[str, Any]]]) -> tuple[int, int, str]:
    """Answer a lot of Brick Owl that has as many as BrickLink's since the run, and hadn't before: both numbers."""
    ours, now = _kinds(control, "bricklink"), _kinds(control, "brickowl")
    for kind, (twin, *others) in now.items():
        one, *more = ours.get(kind, [None])
        was = before[kind][0]["quantity"] if kind in before else None
        if one and not others and not more and was != twin["quantity"] == one["quantity"] > 1:
            return int(one["id"]), int(twin["id"]), str(kind[1])
    raise AssertionError("no lot of Brick Owl follows BrickLink's")


def _quantity(control: Control, service: str, lot: int) -> int:
    rows = control("GET", f"sellers/{_seller(control, service)}/lots")
    return next(int(row["quantity"]) for row in rows if int(row["id"]) == lot)


def _wait_for(page: Page, wanted: Callable[[], bool], what: str) -> None:
    for _ in range(_PATIENCE_MS // 500):
        if wanted():
            return
        page.wait_for_timeout(500)
    raise AssertionError(what)


def test_two_stores_come_into_step_and_a_sale_on_one_lowers_the_other(browser: Browser, stack: Stack) -> None:
    control = _control_of(stack)
    context = still_context(browser, "desktop")
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page)
    sign_in(page, stack, "owner", path="/sync/")
    problems = look(page, "/sync/, empty")

    # What BrickLink has comes in, but for one lot that is left out.
    _compare(page, stack, _BRICKLINK, _STOCK)
    before = page.get_by_role("link", name=re.compile("^Approve")).inner_text()
    page.get_by_role("button", name=re.compile("^Leave out ")).nth(1).click()
    expect(page.get_by_role("link", name=re.compile("^Approve"))).not_to_have_text(before)
    expect(page.get_by_role("button", name=re.compile("^Take in "))).to_have_count(1)
    problems += look(page, "a plan")
    _approve(page)
    problems += look(page, "a result")

    # Then Brick Owl follows.
    before_it = _kinds(control, "brickowl")
    _compare(page, stack, _STOCK, _BRICKOWL)
    _approve(page)

    # A buyer takes a piece on BrickLink: the order is here, and Brick Owl offers one fewer.
    there, twin, number = _followed(control, before_it)
    offered = _quantity(control, "brickowl", twin)
    order = control(
        "POST", f"sellers/{_seller(control, 'bricklink')}/orders", {"lines": [{"lot_id": there, "quantity": 1}]}
    )["id"]
    page.goto(stack.url("/stores/"))
    page.get_by_role("link", name=_BRICKLINK, exact=True).click()
    page.get_by_role("button", name="Sync now").click()
    page.wait_for_load_state()

    def has_come() -> bool:
        page.goto(stack.url(f"/orders/?q={order}"))
        return page.locator("#rows tbody tr").count() == 1

    _wait_for(page, has_come, f"order {order} came in")
    _wait_for(
        page, lambda: _quantity(control, "brickowl", twin) == offered - 1, f"Brick Owl offers one fewer of {number}"
    )
    context.close()
    assert not problems + watched.problems, "\n".join(problems + watched.problems)


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_runs_are_accessible(width: str, browser: Browser, stack: Stack) -> None:
    context = still_context(browser, width)
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page)
    sign_in(page, stack, "owner", path="/sync/new/")
    page.get_by_text("More choices").click()
    problems = look(page, "/sync/new/")
    _compare(page, stack, _BRICKLINK, _STOCK)
    problems += look(page, "a plan")
    approving = page.url.partition(".localhost")[2].partition("/")[2]
    for path in (f"/{approving}approve/", "/sync/", "/sync/conflicts/"):
        page.goto(stack.url(path))
        problems += look(page, path)
    context.close()
    assert not problems + watched.problems, "\n".join(problems + watched.problems)

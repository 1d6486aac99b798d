"""Picking on a phone: every tap arrives once, whatever happens to the connection, the tab or the answer."""

import io
import os
import re
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import Stack, Watched, sign_in
from tests.browser.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SIZES = ((360, 640), (390, 844))
# Two orders; 6 and 8 of the first lot at one place, two lots at the next, one in another zone.
_MAKE = """async ({name}) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const post = async (path, body) => {
    const headers = {"Content-Type": "application/json", "X-CSRF-Token": token};
    const answer = await fetch(`/api/v1${path}`, {method: "POST", headers, body: JSON.stringify(body)});
    if (!answer.ok) throw new Error(`${path} ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const codes = [`${name}-1-1`, `${name}-1-2`, `${name}-1-2`, `X${name}-1`];
  const places = {};
  for (const code of new Set(codes)) places[code] = (await post("/locations", {code})).id;
  const lots = [];
  for (const [index, code] of codes.entries()) {
    const lot = {item_type: "PART", item_no: `${name}${index}`, item_name: `Brick ${index}`, color_id: 5,
      condition: "NEW", qty_available: 20, unit_price: "0.10", location_id: places[code]};
    lots.push((await post("/inventory", lot)).id);
  }
  // Some of the first lot lie elsewhere too.
  await post("/locations", {code: `${name}-9`});
  const move = {source: codes[0], what: `BKN-LOT:${lots[0]}`, qty: "4", target: `${name}-9`};
  const moved = await fetch("/inventory/locations/move/", {method: "POST", body: new URLSearchParams(move),
    headers: {"X-CSRF-Token": token}});
  if (!moved.ok) throw new Error(`move ${moved.status}`);
  const orders = [];
  for (const lines of [[[0, 6], [1, 2], [2, 3]], [[0, 8], [3, 5]]]) {
    const wanted = lines.map(([lot, qty]) => ({inventory_item: lots[lot], qty}));
    orders.push((await post("/orders", {lines: wanted, buyer_name: "Ana", is_paid: true})).id);
  }
  const session = await post("/picker/sessions", {order_ids: orders, start: true});
  return {name, session: session.id, orders, lots};
}"""
_GET = "path => fetch(`/api/v1${path}`).then(answer => answer.json())"
# What is on the device: data bases, caches, workers.
_KEPT = """async () => [
  ...(await indexedDB.databases()).map(one => one.name), ...(await caches.keys()),
  ...(await navigator.serviceWorker.getRegistrations()).map(one => one.scope),
]"""
_SMALL = """() => [...document.querySelectorAll(":is(main, dialog[open]) :is(button, a, label, input)")]
  .filter(one => one.checkVisibility() && !one.matches("label input, .skip"))
  .map(one => [one.textContent.trim().slice(0, 30) || one.ariaLabel, one.getBoundingClientRect()])
  .filter(([, {width, height}]) => width < 55.5 || height < 55.5)
  .map(([name, {width, height}]) => `${name}: ${width} x ${height}`)"""
_CROWDED = """() => {
  const found = [];
  const all = [...document.querySelectorAll("main button, main a")].filter(one => one.checkVisibility());
  for (const one of all) for (const other of all) {
    if (one === other) continue;
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    const x = Math.max(a.left - b.right, b.left - a.right), y = Math.max(a.top - b.bottom, b.top - a.bottom);
    const [name, its] = [one, other].map(each => each.ariaLabel ?? each.textContent);
    if (Math.max(x, y) < 7.5) found.push(`${name} and ${its}`);
  }
  return found;
}"""


def _made(page: Page, name: str = "") -> dict[str, Any]:
    """Make orders and a session of them, as the owner who is signed in."""
    made: dict[str, Any] = page.evaluate(_MAKE, {"name": name or f"P{uuid.uuid4().hex[:5].upper()}"})
    return made


def _phone(browser: Browser, size: tuple[int, int] = (390, 844)) -> BrowserContext:
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=True, reduced_motion="reduce"
    )  # fmt: skip


def _open(page: Page, stack: Stack, session: str) -> None:
    page.goto(stack.url(f"/picking/{session}/walk/"))


def _is_kept(page: Page) -> None:
    """Wait until the page works without a connection."""
    page.evaluate("""async () => {
      await navigator.serviceWorker.ready;
      for (let tries = 0; tries < 200; tries += 1) {
        const names = (await caches.keys()).filter(name => name.startsWith("picking-shell-"));
        if (names.length && await caches.match("/picking/kept/", {cacheName: names[0]})) return;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      throw new Error("the page isn't kept");
    }""")


def _at(page: Page, code: str) -> None:
    expect(page.locator("[data-code]")).to_have_text(code)


def _sent(page: Page, number: int = 0) -> None:
    expect(page.locator("[data-sent]")).to_have_text(f"⇅ {number}", timeout=30_000)


def _tap(page: Page, name: str) -> None:
    # A second press of the same finger is taken for none.
    page.wait_for_timeout(400)
    page.locator(".at").get_by_role("button", name=re.compile(name)).first.click()


def _numbers(page: Page, session: str) -> list[Any]:
    """Answer what the server knows of a session: of every stop its needs, and of the session its sums."""
    route = page.evaluate(_GET, f"/picker/sessions/{session}/route")
    counts = ("qty", "qty_picked", "qty_missing")
    stops = [
        (stop["lot"]["item_no"][-1], sorted([need[name] for name in counts] for need in stop["needs"]))
        for stop in route["stops"]
    ]
    sums = {name: route["session"][name] for name in ("picked_items", "missing_items", "total_items")}
    return [sorted(stops), sums]


def _events(page: Page, session: str) -> list[Any]:
    found = page.evaluate(_GET, f"/picker/sessions/{session}/events?limit=200")
    return [(event["event_type"], event["qty"]) for event in found["results"]]


def _stock(page: Page, lots: list[str]) -> list[Any]:
    return [page.evaluate(_GET, f"/inventory/{lot}")["qty_available"] for lot in lots]


def _shown(page: Page, done: str) -> None:
    """Wait until a tap is shown: from then on it must not be lost."""
    expect(page.locator("[data-count]")).to_have_text(re.compile(f"^{done} / 24$"))


def _walk(page: Page, made: dict[str, Any], between: Callable[[int], Page]) -> Page:
    """Pick a session in all the ways there are; `between` happens before each step, and answers the page to go on."""
    name = made["name"]
    _at(page, f"{name}-1-1")
    page = between(0)
    page.locator(".at").get_by_role("button", name="One fewer").click()
    page.locator(".at").get_by_role("button", name="One fewer").click()
    _tap(page, "^Picked 12")
    _shown(page, "12")
    page = between(1)
    _tap(page, "^Missing")
    page.get_by_role("radio", name="1", exact=True).check()
    page.get_by_role("radio", name="nothing left").check()
    page.get_by_role("button", name="Continue").click()
    _shown(page, "14")
    page = between(2)
    _at(page, f"{name}-1-2")
    for done in ("1[67]", "19"):
        page.wait_for_timeout(400)
        page.locator("[data-act=tick]").first.click()
        _shown(page, done)
        page = between(3)
    _at(page, f"X{name}-1")
    _tap(page, "^Undo")
    _at(page, f"{name}-1-2")
    _shown(page, "1[67]")
    page = between(4)
    _tap(page, "^Picked")
    _shown(page, "19")
    page = between(5)
    _tap(page, "^Picked 5")
    expect(page.get_by_role("heading", name="All stops are done")).to_be_visible()
    return page


def _deliver(route: Route, stack: Stack, context: BrowserContext) -> bool:
    """Have what the page sends arrive; answer whether it was taken."""
    asked = route.request
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies(asked.url))
    names = ("content-type", "x-csrf-token", "origin", "referer", "accept")
    headers = {name: value for name, value in asked.headers.items() if name in names}
    parts = urlsplit(asked.url)
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port}{parts.path}", data=asked.post_data_buffer, method="POST",
        headers={**headers, "Host": parts.netloc, "Cookie": cookies},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own server
        return bool(answer.status == 200)


def test_nothing_is_lost_and_nothing_comes_twice(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    sign_in(page, stack, "owner")
    calm, wild = _made(page), _made(page)

    _open(page, stack, calm["session"])
    page = _walk(page, calm, lambda _step: page)
    _sent(page)
    expected = [*_numbers(page, calm["session"]), _events(page, calm["session"]), _stock(page, calm["lots"])]

    lost = 0

    def lose_the_answer(route: Route) -> None:
        # It arrives, and the device never hears of it.
        nonlocal lost
        lost += _deliver(route, stack, context)
        route.abort()

    def disturb(step: int) -> Page:
        nonlocal page
        if step == 0:
            context.set_offline(True)
        elif step == 2:
            # The tab is killed; what comes back comes from the device.
            page.close()
            page = context.new_page()
            _open(page, stack, wild["session"])
            _sent(page, 4)
        elif step == 3:
            page.reload()
        elif step == 4:
            context.route("**/pick", lose_the_answer)
            context.set_offline(False)
            page.wait_for_event("requestfailed", lambda one: one.url.endswith("/pick"))
            page.reload()
        elif step == 5:
            context.unroute("**/pick")
        return page

    _open(page, stack, wild["session"])
    _at(page, f"{wild['name']}-1-1")
    _sent(page)
    _is_kept(page)
    page.reload()
    page = _walk(page, wild, disturb)
    _sent(page)
    assert lost
    found = [*_numbers(page, wild["session"]), _events(page, wild["session"]), _stock(page, wild["lots"])]
    context.close()
    assert found == expected


def test_two_tabs_send_once(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    made = _made(page)
    name = made["name"]
    _open(page, stack, made["session"])
    _at(page, f"{name}-1-1")
    other = context.new_page()
    _open(other, stack, made["session"])
    _at(other, f"{name}-1-1")
    _tap(page, "^Picked 14")
    # The other tab knows at once, and goes on from there.
    expect(other.locator("[data-count]")).to_have_text("14 / 24")
    _at(other, f"{name}-1-2")
    _tap(other, "^Picked")
    expect(page.locator("[data-count]")).to_have_text(re.compile("1[67] / 24"))
    _sent(page)
    _sent(other)
    assert [event for event, _qty in _events(page, made["session"])] == ["PICKED"] * 3
    context.close()
    assert not watched.problems, "\n".join(watched.problems)


def test_a_pick_that_cannot_be_taken_is_something_to_solve(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    sign_in(page, stack, "owner")
    made = _made(page)
    _open(page, stack, made["session"])
    _at(page, f"{made['name']}-1-1")
    context.route("**/pick", lambda route: route.abort())
    _tap(page, "^Picked 14")
    _sent(page, 2)
    page.evaluate(
        """([order]) => fetch(`/api/v1/orders/${order}/cancel`, {method: "POST", body: "{}", headers: {
          "Content-Type": "application/json",
          "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content}})""",
        made["orders"],
    )
    context.unroute("**/pick")
    solve = page.get_by_role("button", name=re.compile("^1 pick to solve"))
    solve.click(timeout=30_000)
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(re.compile(rf"Put 6 back to {made['name']}-1-1: {made['name']}0"))
    found = look(page, "what is to be solved")
    sheet.get_by_role("button", name="Done", exact=True).click()
    expect(sheet).to_contain_text("All picks are sent")
    page.keyboard.press("Escape")
    _sent(page)
    context.close()
    assert not found, "\n".join(found)


def test_missing_pieces_are_taken_from_another_place(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    made = _made(page)
    name = made["name"]
    _open(page, stack, made["session"])
    _at(page, f"{name}-1-1")

    def miss() -> None:
        _tap(page, "^Missing")
        page.get_by_role("radio", name="11", exact=True).check()
        page.get_by_role("radio", name=f"take from {name}-9 (4)").check()
        page.get_by_role("button", name="Continue").click()
        _at(page, f"{name}-9")
        expect(page.locator("[data-take]")).to_have_text("Take 3")

    miss()
    _sent(page)
    # What the server made of it is what is shown.
    page.reload()
    _at(page, f"{name}-9")
    expect(page.locator("[data-count]")).to_have_text("11 / 24")
    _tap(page, "^Undo")
    _at(page, f"{name}-1-1")
    expect(page.locator("[data-take]")).to_have_text("Take 14")
    _sent(page)
    assert _numbers(page, made["session"])[1]["picked_items"] == 0
    miss()
    _tap(page, "^Picked 3")
    _at(page, f"{name}-1-2")
    _sent(page)
    stops, sums = _numbers(page, made["session"])
    assert sums == {"picked_items": 14, "missing_items": 0, "total_items": 24}
    assert [needs for number, needs in stops if number == "0"] == [[[3, 3, 0]], [[5, 5, 0], [6, 6, 0]]]
    context.close()
    assert not watched.problems, "\n".join(watched.problems)


def test_signing_out_warns_and_erases(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    sign_in(page, stack, "owner")
    made = _made(page)
    _open(page, stack, made["session"])
    _at(page, f"{made['name']}-1-1")
    _is_kept(page)
    context.route("**/pick", lambda route: route.abort())
    _tap(page, "^Picked 14")
    _sent(page, 2)
    page.goto(stack.url("/account/logout/"))
    page.get_by_role("button", name="Sign out").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 picks aren't sent yet")
    found = look(page, "signing out")
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    dialog.get_by_role("button", name="Sign out and lose them").click()
    page.wait_for_url(re.compile("/account/login/"))
    assert page.evaluate(_KEPT) == []
    context.close()
    assert not found, "\n".join(found)


def test_a_session_that_was_never_here_says_so_without_a_connection(browser: Browser, stack: Stack) -> None:
    context = _phone(browser)
    page = context.new_page()
    sign_in(page, stack, "owner")
    made = _made(page)
    _open(page, stack, made["session"])
    _at(page, f"{made['name']}-1-1")
    _is_kept(page)
    context.set_offline(True)
    _open(page, stack, str(uuid.uuid4()))
    expect(page.get_by_role("heading", name="isn't on this device yet")).to_be_visible()
    _open(page, stack, made["session"])
    _at(page, f"{made['name']}-1-1")
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_is_made_for_a_thumb(size: tuple[int, int], browser: Browser, stack: Stack) -> None:
    context = _phone(browser, size)
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    made = _made(page)
    _open(page, stack, made["session"])
    _at(page, f"{made['name']}-1-1")
    _sent(page)
    found: list[str] = []

    def see(where: str) -> None:
        found.extend(look(page, where))
        found.extend(f"{where}: {small}" for small in page.evaluate(_SMALL))
        if page.get_by_role("dialog").count() == 0:
            found.extend(f"{where}: too near: {pair}" for pair in page.evaluate(_CROWDED))

    see("a stop")
    page.get_by_role("button", name="Picked 14").click(delay=700)
    expect(page.get_by_role("dialog")).to_contain_text("How many of 14")
    see("the number pad")
    page.keyboard.press("Escape")
    assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    picture = page.locator(".see").bounding_box()
    assert picture
    assert picture["height"] >= 160
    before = page.locator(".deeds .main").bounding_box()
    for name in ("Missing", "Options", "All stops", "Scan a label"):
        page.get_by_role("button", name=name).last.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        see(name)
        if name != "Options":
            page.keyboard.press("Escape")
    # Fingers stay where they are when the next stop comes.
    _tap(page, "^Picked 14")
    _at(page, f"{made['name']}-1-2")
    see("two lots at one place")
    assert page.locator(".deeds .main").bounding_box() == before
    _tap(page, "^Skip")
    _tap(page, "^Skip")
    expect(page.get_by_role("heading", name=re.compile("^Zone .* done"))).to_be_visible()
    see("between zones")
    page.get_by_role("button", name="Later").click()
    _at(page, f"X{made['name']}-1")
    for _stop in range(3):
        _tap(page, "^Picked")
    expect(page.get_by_role("heading", name="Everything is picked")).to_be_visible()
    _sent(page)
    see("the end")
    page.get_by_role("button", name="Finish session").click()
    expect(page.get_by_role("heading", name="Session finished")).to_be_visible()
    see("a finished session")
    context.close()
    assert not found + watched.problems, "\n".join(found + watched.problems)


def test_keys_and_labels_do_what_buttons_do(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    made = _made(page)
    name = made["name"]
    _open(page, stack, made["session"])
    _at(page, f"{name}-1-1")

    def scan(text: str) -> None:
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    line = page.locator("[data-line]")
    scan(f"BKN-LOC:X{name}-1")
    expect(line).to_contain_text(f"Expected {name}-1-1")
    expect(line).to_contain_text(f"This is X{name}-1")
    scan(f"bkn-loc:{name.lower()}-1-1")
    expect(line).to_contain_text("right place")
    # A number and Enter are that many; the label of the lot is all that is left.
    page.keyboard.type("9", delay=120)
    expect(page.get_by_role("button", name="Picked 9")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-take]")).to_have_text("Take 5")
    page.wait_for_timeout(400)
    scan(f"BKN-LOT:{made['lots'][0]}")
    _at(page, f"{name}-1-2")
    page.wait_for_timeout(400)
    page.keyboard.press("u")
    _at(page, f"{name}-1-1")
    page.wait_for_timeout(400)
    page.keyboard.press("Space")
    _at(page, f"{name}-1-2")
    page.wait_for_timeout(400)
    page.keyboard.press("m")
    expect(page.get_by_role("dialog")).to_contain_text(f"Missing in {name}-1-2")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    _at(page, f"X{name}-1")
    page.keyboard.press("ArrowLeft")
    _at(page, f"{name}-1-2")
    _sent(page)
    assert _numbers(page, made["session"])[1]["picked_items"] == 14
    context.close()
    assert not watched.problems, "\n".join(watched.problems)


def _film(payload: str, path: Path) -> Path:
    """Write what a camera sees that looks at a label."""
    width, height = 640, 480
    code = io.BytesIO()
    segno.make_qr(payload, error="m").save(code, kind="png", scale=8, border=4)
    image = Image.new("L", (width, height), 200)
    label = Image.open(code).convert("L")
    image.paste(label, ((width - label.width) // 2, (height - label.height) // 2))
    gray = bytes([128]) * (width * height // 2)
    frame = b"FRAME\n" + image.tobytes() + gray
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)
    return path


def test_the_camera_reads_labels(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    place = f"C{uuid.uuid4().hex[:5].upper()}"
    film = _film(f"BKN-LOC:{place}-1-1", tmp_path / "label.y4m")
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    chromium = browser.browser_type.launch(
        executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=arguments
    )  # fmt: skip
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    watched = Watched(page)
    sign_in(page, stack, "owner")
    made = _made(page, place)
    _open(page, stack, made["session"])
    _at(page, f"{place}-1-1")
    page.get_by_role("button", name="Scan a label").click()
    expect(page.get_by_role("dialog")).to_contain_text("Allow it for this site")
    page.keyboard.press("Escape")
    context.grant_permissions(["camera"])
    page.get_by_role("button", name="Scan a label").click()
    expect(page.locator("[data-line]")).to_contain_text("right place", timeout=30_000)
    expect(page.get_by_role("dialog")).to_be_hidden()
    chromium.close()
    assert not watched.problems, "\n".join(watched.problems)

"""The hand that steers the marketplaces: generator, twins, orders by chance, clock, snapshots, pushes."""

import hmac
import http.client
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, BrickOwlClient, BrikickClient, enc
from tests.sandbox.conftest import Store


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in ("id", "seller_id", "updated_at")} for row in rows
    ]


def test_generates_the_same_from_the_same_seed(bricklink_store: Store, sandbox: SandboxProcess) -> None:
    bricklink_store.generate(300, seed=7)
    first = bricklink_store.lots()
    sandbox.reset()
    bricklink_store.generate(300, seed=7)
    assert comparable(bricklink_store.lots()) == comparable(first)
    # Written down once: another machine or version of Python must come to the same.
    digest = sha256(json.dumps(comparable(first), sort_keys=True).encode()).hexdigest()
    assert digest[:16] == "f4aaa3eb7fda45e9"
    sandbox.reset()
    bricklink_store.generate(300, seed=8)
    assert comparable(bricklink_store.lots()) != comparable(first)


def test_generates_what_real_stores_have(bricklink_store: Store) -> None:
    bricklink_store.generate(3000)
    lots = bricklink_store.lots()
    share = Counter(lot["type"] for lot in lots)
    assert 0.75 < share["PART"] / 3000 < 0.85
    assert 0.09 < share["MINIFIG"] / 3000 < 0.15
    assert 0.35 < sum(lot["condition"] == "U" for lot in lots) / 3000 < 0.55
    assert 0.1 < sum(lot["tier_quantity1"] > 0 for lot in lots) / 3000 < 0.2
    quantities = sorted(lot["quantity"] for lot in lots)
    assert 6 <= quantities[1500] <= 10
    assert quantities[0] == 0
    assert quantities[-1] <= 20_000
    prices = [lot["price"] for lot in lots]
    assert min(prices) >= 100
    assert max(prices) <= 9_000_000
    assert any(price % 100 for price in prices)
    assert {"3001old", "973pb0001c01"} <= {lot["no"] for lot in lots}
    texts = " ".join(lot["description"] for lot in lots)
    assert all(part in texts for part in ("<b>", "&amp;", "🧱", "מצב", "\t", '"'))
    places = Counter((lot["type"], lot["no"], lot["color_id"], lot["condition"]) for lot in lots)
    assert max(places.values()) > 1


@pytest.mark.parametrize("service", ["brickowl", "brikick"])
def test_opens_a_twin_with_the_key_to_it(service: str, bricklink_store: Store, sandbox: SandboxProcess) -> None:
    bricklink_store.generate(400)
    made = sandbox.control("POST", f"sellers/{bricklink_store.id}/twin", {"service": service, "drift": 0.05})
    twin = {lot["id"]: lot for lot in Store(sandbox, made["seller"]["id"]).lots()}
    source = {lot["id"]: lot for lot in bricklink_store.lots()}
    kinds = Counter(row["kind"] for row in made["differences"])
    assert set(kinds) == {"missing", "quantity", "price", "remarks", "extra"}
    assert len(made["pairs"]) + len(made["unmapped"]) + kinds["missing"] == len(source)
    assert len(twin) == len(made["pairs"]) + kinds["extra"]
    differing = {(row["kind"], row.get("id")) for row in made["differences"]}
    for origin, number in made["pairs"]:
        one, other = source[origin], twin[number]
        assert (one["type"], one["no"], one["color_id"]) == (other["type"], other["no"], other["color_id"])
        assert (one["quantity"] != other["quantity"]) == (("quantity", origin) in differing)
    links = Counter(
        "none" if twin[number]["external_id"] is None else twin[number]["external_id"] == str(origin)
        for origin, number in made["pairs"]
    )
    assert links[True] > links["none"] > links[False] > 0
    again = sandbox.control(
        "POST", f"sellers/{bricklink_store.id}/twin", {"service": service, "name": "again", "drift": 0}
    )
    assert again["differences"] == []


def test_makes_a_history_of_orders(bricklink_store: Store, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    bricklink_store.generate(400)
    made = sandbox.control("POST", f"sellers/{bricklink_store.id}/orders", {"generate": 60, "days": 250})
    orders = bricklink.get("/orders")
    assert len(orders) == made["count"] > 40
    assert {"PENDING", "COMPLETED", "PURGED"} <= {order["status"] for order in orders} | {"PENDING"}
    assert max(Counter(order["buyer_name"] for order in orders).values()) > 1
    assert [order["date_ordered"] for order in orders] == sorted(order["date_ordered"] for order in orders)
    assert any("date_paid" in order["payment"] for order in orders)


def test_snapshots_and_restores(bricklink_store: Store, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    bricklink_store.generate(50)
    before = bricklink.get("/inventories")
    sandbox.control("POST", "snapshot/full")
    for row in before[:10]:
        bricklink.send("DELETE", f"/inventories/{row['inventory_id']}")
    assert len(bricklink.get("/inventories")) < len(before)
    sandbox.control("POST", "restore/full")
    assert bricklink.get("/inventories") == before
    with pytest.raises(OSError, match="404"):
        sandbox.control("POST", "restore/nothing")


def test_compares_a_store_with_what_it_should_have(bricklink_store: Store, sandbox: SandboxProcess) -> None:
    bricklink_store.put(remarks="a")
    bricklink_store.put(remarks="b", quantity=3)
    expected = [{"no": "3001", "remarks": "a", "quantity": 10}, {"no": "3001", "remarks": "b", "quantity": 4}]
    found = sandbox.control("POST", "assert/inventory", {"seller": bricklink_store.id, "lots": expected})
    assert not found["is_equal"]
    assert found["missing"] == [{"no": "3001", "quantity": 4, "remarks": "b"}]
    assert found["unexpected"] == [{"no": "3001", "quantity": 3, "remarks": "b"}]
    expected[1]["quantity"] = 3
    assert sandbox.control("POST", "assert/inventory", {"seller": bricklink_store.id, "lots": expected})["is_equal"]


def test_takes_stock_from_files(bricklink_store: Store, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    xml = (
        "<INVENTORY><ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>3001</ITEMID><COLOR>5</COLOR><QTY>4</QTY><PRICE>.125</PRICE>"
        "<CONDITION>U</CONDITION><REMARKS>A-1</REMARKS><STOCKROOM>Y</STOCKROOM><TQ1>5</TQ1><TP1>.1</TP1></ITEM></INVENTORY>"
    )
    bsx = (
        '<BrickStoreXML><Inventory Currency="EUR"><Item><ItemID>7657-1</ItemID><ItemTypeID>S</ItemTypeID>'
        "<ColorID>0</ColorID><Qty>1</Qty><Price>50.000</Price><Condition>N</Condition><SubCondition>M</SubCondition>"
        "<Retain/></Item></Inventory></BrickStoreXML>"
    )
    for kind, text in (("xml", xml), ("bsx", bsx)):
        sandbox.control("POST", f"sellers/{bricklink_store.id}/lots", {kind: text})
    part, boxed = bricklink.get("/inventories")
    assert (part["unit_price"], part["stock_room_id"], part["tier_price1"]) == ("0.1250", "A", "0.1000")
    assert (boxed["completeness"], boxed["is_retain"]) == ("S", True)


def test_edits_as_the_seller_does_on_the_website(bricklink_store: Store, bricklink: BrickLinkClient) -> None:
    lot, gone = bricklink_store.put(), bricklink_store.put()
    bricklink_store.edit(lot, quantity=3, price=5000)
    bricklink_store.sandbox.control("DELETE", f"sellers/{bricklink_store.id}/lots/{gone}")
    (row,) = bricklink.get("/inventories")
    assert (row["quantity"], row["unit_price"]) == (3, "0.5000")
    for bad in ({"version": 3}, {"nonsense": 1}):
        with pytest.raises(OSError, match="422"):
            bricklink_store.edit(lot, **bad)


def test_does_what_is_due(bricklink_store: Store, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    lot = bricklink_store.put()
    shipped, waiting = (bricklink_store.order((lot, 1), status=status)["id"] for status in ("SHIPPED", "PENDING"))
    assert sandbox.control("POST", "orders/advance")["count"] == 0
    sandbox.control("POST", "clock", {"advance_s": 31 * 86400})
    assert sandbox.control("POST", "orders/advance")["count"] == 1
    assert sandbox.control("GET", f"orders/{shipped}")["status"] == "COMPLETED"
    sandbox.control("POST", "clock", {"advance_s": 150 * 86400})
    assert sandbox.control("POST", "orders/advance")["count"] == 2
    assert sandbox.control("GET", f"orders/{waiting}")["status"] == "PURGED"


def test_counts_calls(bricklink_store: Store, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    lots = [bricklink_store.put() for _ in range(3)]
    for lot in lots:
        bricklink.get(f"/inventories/{lot}")
    bricklink.get("/inventories")
    counts = {(row["method"], row["path"], row["status"]): row["count"] for row in sandbox.control("GET", "counts")}
    assert counts == {("GET", "/api/store/v1/inventories/{}", 200): 3, ("GET", "/api/store/v1/inventories", 200): 1}
    assert sandbox.control("GET", f"sellers/{bricklink_store.id}")["calls_used"] == 4


def test_refuses_commands_that_make_no_sense(sandbox: SandboxProcess, bricklink_store: Store) -> None:
    for command, body in (
        ("sellers", {"service": "ebay"}), ("sellers", {"service": "bricklink", "name": "demoseller"}),
        ("switches", {"bl.nothing": "x"}), ("switches", {"bl.below_zero": "x"}), ("clock", {"mode": "backwards"}),
        ("faults", {"kind": "fire"}), ("faults", {"mix": "fire"}), ("reset", {"profile": "x"}),
        (f"sellers/{bricklink_store.id}/lots", {}), (f"sellers/{bricklink_store.id}/orders", {"lines": []}),
        (f"sellers/{bricklink_store.id}/twin", {"service": "bricklink"}),
        ("sellers", {"service": "bricklink", "settings": {"nonsense": 1}}),
        ("sellers", {"service": "bricklink", "settings": {"quota": "many"}}),
        ("sellers", {"service": "bricklink", "settings": {"push": "sometimes"}}),
        (f"sellers/{bricklink_store.id}/lots", {"lots": [{"type": "PART", "no": "3001", "quantity": "4"}]}),
        (f"sellers/{bricklink_store.id}/lots", {"lots": [{"type": "PART", "no": "nothing", "quantity": 4}]}),
        (f"sellers/{bricklink_store.id}/lots", {"lots": [{"type": "PART", "no": "3001", "quantity": -4}]}),
    ):  # fmt: skip
        with pytest.raises(OSError, match="422"):
            sandbox.control("POST", command, body)
    for command in ("sellers/1", "orders/1"):
        with pytest.raises(OSError, match="404"):
            sandbox.control("GET", command)


class Listener:
    """A seller's own server that is told things."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                listener.heard.append((self.command, self.path, dict(self.headers.items()), body))
                self.send_response(listener.status)
                self.end_headers()

            do_GET = do_POST  # noqa: N815  # see above

            def log_message(self, format: str, *args: object) -> None:  # the library's signature
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.heard) >= count


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_pushes_notifications(bricklink_store: Store, listener: Listener, sandbox: SandboxProcess) -> None:
    lot = bricklink_store.put()
    bricklink_store.settings(callback_url=f"http://127.0.0.1:{listener.port}/hook?a=1", push="twice")
    order = bricklink_store.order((lot, 1))
    listener.wait(1)
    sandbox.control("POST", "clock", {"advance_s": 2})
    listener.wait(2)
    method, path, _, body = listener.heard[0]
    assert (method, path) == ("POST", "/hook?a=1")
    (told,) = json.loads(body)
    assert (told["event_type"], told["resource_id"]) == ("Order", order["id"])
    bricklink_store.settings(push="never")
    bricklink_store.order((lot, 1))
    bricklink_store.settings(push="late")
    bricklink_store.order((lot, 1))
    time.sleep(0.3)
    assert len(listener.heard) == 2
    sandbox.control("POST", "clock", {"advance_s": 31})
    listener.wait(3)


def test_notifies_of_orders_on_brick_owl(brickowl: BrickOwlClient, brickowl_store: Store, listener: Listener) -> None:
    brickowl_store.settings(notify_port=listener.port)
    assert brickowl.post("order/notify", ip="nonsense").status == 400
    brickowl.post("order/notify", ip="127.0.0.1")
    order = brickowl_store.order((brickowl_store.put(grade="new"), 1))
    listener.wait(1)
    wanted = f"/brick_owl_order_notify?order_id={order['id']}&store_id={brickowl_store.id}"
    assert listener.heard[0][:2] == ("GET", wanted)
    brickowl.post("order/notify", ip="")
    brickowl_store.order((brickowl_store.put(grade="new"), 1))
    time.sleep(0.3)
    assert len(listener.heard) == 1


def test_signs_webhooks_and_repeats_them(
    brikick: BrikickClient, brikick_store: Store, listener: Listener, sandbox: SandboxProcess
) -> None:
    url = f"http://127.0.0.1:{listener.port}/hook"
    made = brikick.post("/webhooks", {"url": url, "events": ["order.created", "lot.updated"]})
    assert made.status == 201
    secret = made.json["secret"]
    assert "secret" not in brikick.get("/webhooks")["items"][0]
    listener.status = 500
    order = brikick_store.order((brikick_store.put(), 1))
    listener.wait(2)
    listener.status = 204
    sandbox.control("POST", "clock", {"advance_s": 11})
    listener.wait(4)
    sandbox.control("POST", "clock", {"advance_s": 86400})
    time.sleep(0.3)
    assert len(listener.heard) == 4
    told = {}
    for _, _, headers, body in listener.heard:
        signed = hmac.new(secret.encode(), headers["X-Brikick-Timestamp"].encode() + b"." + body, sha256).hexdigest()
        assert headers["X-Brikick-Signature"] == f"v1={signed}"
        event = json.loads(body)
        assert headers["X-Brikick-Event"] == event["type"]
        told[event["id"]] = (event["type"], event["data"]["id"])
    assert set(told.values()) == {("order.created", order["id"]), ("lot.updated", order["lines"][0]["lot_id"])}
    hook = f"/webhooks/{made.json['id']}"
    assert brikick.post(f"{hook}/test").status == 202
    listener.wait(5)
    assert brikick.send("DELETE", hook).status == 204
    assert brikick.send("DELETE", hook).status == 404
    for bad in (
        {"url": "http://example.com/", "events": ["order.created"]},
        {"url": url, "events": ["x"]},
        {"url": url},
    ):
        assert brikick.post("/webhooks", bad).status == 422


def test_keeps_its_state_in_a_file(tmp_path: Any) -> None:
    path = str(tmp_path / "state.sqlite")
    with SandboxProcess.running(state=path) as first:
        store = Store(first, 901)
        lot = store.put(remarks="kept")
    with SandboxProcess.running(state=path) as second:
        client = BrickLinkClient(second.bricklink_url, second.bricklink_credentials)
        assert client.get(f"/inventories/{lot}")["remarks"] == "kept"


def test_refuses_a_file_that_is_not_its_own(tmp_path: Any) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (id INTEGER)")
    text = tmp_path / "text"
    text.write_text("x" * 5000)
    for file in (path, text):
        command = [sys.executable, "-m", "sandbox", "--state", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2
        assert str(file) in done.stderr


def test_puts_a_file_of_another_version_aside(tmp_path: Any) -> None:
    path = tmp_path / "state.sqlite"
    with SandboxProcess.running(state=str(path)) as first:
        Store(first, 901).put(remarks="kept")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    with SandboxProcess.running(state=str(path)) as second:
        assert Store(second, 901).lots() == []
    with sqlite3.connect(f"{path}.old") as connection:
        assert connection.execute("SELECT count(*) FROM lots").fetchone()[0] == 1


def test_takes_a_body_in_chunks(bricklink: BrickLinkClient) -> None:
    lot = {"item": {"no": "3001", "type": "PART"}, "color_id": 5, "quantity": 4, "new_or_used": "U", "unit_price": "1"}
    given = bricklink.oauth("POST", "/inventories")
    line = ", ".join(f'{name}="{enc(value)}"' for name, value in given.items())
    connection = http.client.HTTPConnection(bricklink.http.root.removeprefix("http://"))
    pieces = (part for part in (json.dumps(lot).encode()[:20], json.dumps(lot).encode()[20:]))
    headers = {"Authorization": f"OAuth {line}", "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.request("POST", f"{bricklink.http.path}/inventories", pieces, headers, encode_chunked=True)
    assert json.load(connection.getresponse())["meta"]["code"] == 201
    connection.request("GET", f"{bricklink.http.path}/inventories")
    assert connection.getresponse().status == 200


def test_begins_with_the_stores_of_the_demo(
    bricklink: BrickLinkClient, brickowl: BrickOwlClient, brikick: BrikickClient, sandbox: SandboxProcess,
) -> None:  # fmt: skip
    sandbox.control("POST", "reset", {"profile": "demo", "seed": 3})
    assert len(bricklink.get("/inventories")) > 300
    assert len(brickowl.get("inventory/list").json) > 200
    assert len(brikick.get("/lots")["items"]) > 300
    assert bricklink.get("/orders")
    assert brickowl.get("order/list").json
    assert brikick.get("/orders")["items"]

"""Whatever is sent, no service breaks, and no piece is lost (looked after by `conftest.py` after each test)."""

import http.client
import json
import os
import random
import string
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, BrickOwlClient, BrikickClient
from tests.sandbox.conftest import Store

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "250"))
FIELDS = (
    "item", "no", "type", "color_id", "quantity", "new_or_used", "completeness", "unit_price", "description", "remarks",
    "bulk", "is_retain", "is_stock_room", "stock_room_id", "my_cost", "sale_rate", "tier_quantity1", "tier_price1",
    "tier_quantity2", "tier_price2", "tier_quantity3", "tier_price3", "field", "value", "shipping", "cost", "is_filed",
    "order_id", "rating", "comment", "buyer_name", "discount_type", "discount_amount", "note_text", "reply",
    "item_type", "item_no", "condition", "sub_condition", "tiers", "op", "operations", "lot", "id", "set",
    "quantity_delta", "if_version", "status", "reason", "restock", "amount", "reason_code", "lines", "line_id", "url",
    "events", "tracking_number", "shipped_at", "note", "external_id", "currency", "stock_room", "weight_grams",
)  # fmt: skip
OWL_FIELDS = (
    "lot_id", "external_id", "external_id_1", "boid", "color_id", "quantity", "price", "condition", "absolute_quantity",
    "relative_quantity", "for_sale", "sale_percent", "tier_price", "bulk_qty", "order_id", "status_id", "tracking_id",
    "note", "rating", "comment", "ip", "type", "id", "id_type", "query", "page", "country", "requests", "items",
    "limit", "status", "order_time", "list_type", "sort_by", "wishlist_id", "name", "boids",
    "update_external_id_1", "lot_weight",
)  # fmt: skip
OWL_ENDPOINTS = [
    f"{group}/{name}"
    for group, names in {
        "inventory": "list create update delete", "order": "list view items set_status tracking note feedback notify",
        "catalog": "lookup bulk_lookup id_lookup search availability inventory cart_basic field_option_list",
        "wishlist": "lists lots create_list update_list delete_list create_lot update delete_lot", "bulk": "batch",
        "collection": "lots create_lot update delete_lot", "user": "details", "x": "y",
    }.items()
    for name in names.split()
]  # fmt: skip


class Monkey:
    """Makes up values, well- and ill-formed ones."""

    def __init__(self, seed: int, lots: list[int], orders: list[int]) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # the same each time is what is wanted
        self.numbers = [*lots, *orders, 0, 1, -1, 999999, 10**18]

    def word(self) -> Any:
        dice = self.dice
        return dice.choice([
            lambda: dice.choice(self.numbers), lambda: str(dice.choice(self.numbers)), lambda: dice.randint(-50, 50),
            lambda: f"{dice.choice('+-')}{dice.randint(0, 30)}",
            lambda: round(dice.uniform(-2, 30), dice.randint(0, 6)),
            lambda: f"{dice.uniform(0, 2):.4f}", lambda: None, lambda: dice.choice([True, False]), lambda: "",
            lambda: "".join(dice.choices(string.printable + "é🧱\u0000\u202e", k=dice.randint(1, 20))),
            lambda: dice.choice(["3001", "PART", "SET", "N", "U", "C", "A", "60239-1", "900111-81", "new", "usedg", "P",
                                 "S", "PAID", "SHIPPED", "CANCELLED", "Received", "status", "create", "update",
                                 "delete",
                                 "2025-02-28T10:11:21.703Z", "25:0.65", "Part", "in", "store"]),
        ])()  # fmt: skip

    def value(self, depth: int = 0) -> Any:
        roll = self.dice.random()
        if depth < 3 and roll < 0.15:
            return self.body(depth + 1)
        if depth < 3 and roll < 0.25:
            return [self.value(depth + 1) for _ in range(self.dice.randint(0, 3))]
        return self.word()

    def body(self, depth: int = 0) -> Any:
        if self.dice.random() < 0.05:
            return self.value(depth + 1)
        return {name: self.value(depth) for name in self.dice.sample(FIELDS, self.dice.randint(0, 12))}

    def plausible(self, known: dict[str, Any]) -> Any:
        """Answer something right, with one thing spoiled."""
        spoiled = dict(known)
        spoiled[self.dice.choice([*known, *FIELDS])] = self.value()
        return spoiled

    def raw(self, body: Any) -> bytes:
        text = json.dumps(body).encode()
        roll = self.dice.random()
        if roll < 0.05:
            return text[: len(text) // 2]
        if roll < 0.08:
            return self.dice.randbytes(20)
        return text


PART = {
    "item": {"no": "3001", "type": "PART"}, "color_id": 5, "quantity": 4, "new_or_used": "U", "unit_price": "0.12",
}  # fmt: skip
KICK_LOT = {
    "item_type": "P", "item_no": "3001", "color_id": 5, "condition": "U", "quantity": 4, "unit_price": "0.05",
}  # fmt: skip


def stock(store: Store) -> tuple[list[int], list[int]]:
    store.generate(20)
    lots = [store.put(quantity=30, grade="new") for _ in range(5)]
    return lots, [store.order((lot, 3))["id"] for lot in lots]


@pytest.mark.parametrize("seed", range(2))
def test_bricklink_takes_anything(seed: int, bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    monkey = Monkey(seed, *stock(bricklink_store))
    dice = monkey.dice
    paths = (
        "/inventories", "/inventories/{}", "/orders", "/orders/{}", "/orders/{}/items", "/orders/{}/status",
        "/orders/{}/payment_status", "/orders/{}/messages", "/orders/{}/drive_thru", "/feedback", "/feedback/{}",
        "/feedback/{}/reply", "/notifications", "/coupons", "/coupons/{}", "/members/{}/ratings",
        "/members/{}/my_notes",
        "/items/PART/{}", "/items/PART/3001/price", "/items/{}/3001/subsets", "/item_mapping/{}", "/colors/{}",
        "/categories/{}", "/settings/shipping_methods/{}", "/{}",
    )  # fmt: skip
    for _ in range(ROUNDS):
        path = dice.choice(paths).format(quote(str(monkey.word()), safe=""))
        if dice.random() < 0.3:
            names = dice.choices(["status", "item_type", "color_id", "direction", "filed", "vat", "region"], k=2)
            path += "?" + urlencode({name: monkey.word() for name in names})
        method = dice.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
        body = monkey.plausible(PART) if dice.random() < 0.3 else monkey.body()
        reply = bricklink.send(method, path, None if method in ("GET", "DELETE") else monkey.raw(body))
        assert reply.status in (200, 204), (method, path, body, reply.body)
        if reply.status == 200:
            assert reply.meta["code"] < 500, (method, path, body)
            assert ("data" in reply.json) <= (reply.meta["code"] < 300)


@pytest.mark.parametrize("seed", range(2))
def test_brickowl_takes_anything(seed: int, brickowl: BrickOwlClient, brickowl_store: Store) -> None:
    brickowl_store.settings(per_minute=1_000_000, batch_per_minute=1_000_000)
    monkey = Monkey(seed, *stock(brickowl_store))
    for _ in range(ROUNDS):
        endpoint = monkey.dice.choice(OWL_ENDPOINTS)
        arguments = {name: monkey.value() for name in monkey.dice.sample(OWL_FIELDS, monkey.dice.randint(0, 6))}
        if endpoint == "bulk/batch":
            inner = [
                {"endpoint": monkey.dice.choice(OWL_ENDPOINTS), "request_method": "POST", "params": [monkey.body()]}
            ]
            arguments["requests"] = monkey.raw({"requests": inner * monkey.dice.randint(0, 3)})
        send = monkey.dice.choice([brickowl.get, brickowl.post])
        reply = send(endpoint, **arguments)
        assert reply.status in (200, 400, 404, 405, 403), (endpoint, arguments, reply.body)
        assert (reply.status == 200) == ("error" not in reply.json or isinstance(reply.json, list))


@pytest.mark.parametrize("seed", range(2))
def test_brikick_takes_anything(seed: int, brikick: BrikickClient, brikick_store: Store) -> None:
    monkey = Monkey(seed, *stock(brikick_store))
    dice = monkey.dice
    paths = (
        "/me", "/lots", "/lots/{}", "/lots/batch", "/lots/export", "/jobs/{}", "/orders", "/orders/{}",
        "/orders/{}/status", "/orders/{}/tracking", "/orders/{}/refunds", "/orders/{}/note", "/webhooks",
        "/webhooks/{}", "/webhooks/{}/test", "/catalog/items", "/{}",
    )  # fmt: skip
    for _ in range(ROUNDS):
        path = dice.choice(paths).format(quote(str(monkey.word()), safe=""))
        if dice.random() < 0.3:
            names = dice.choices(["status", "item_type", "color_id", "limit", "cursor", "updated_since"], k=2)
            path += "?" + urlencode({name: monkey.word() for name in names})
        method = dice.choice(["GET", "POST", "PATCH", "DELETE", "PUT"])
        body = monkey.plausible(KICK_LOT) if dice.random() < 0.3 else monkey.body()
        if path.startswith("/lots/batch"):
            operation = {"op": "create", "lot": monkey.plausible(KICK_LOT)}
            body = {
                "operations": [operation, {"op": "update", "id": monkey.word(), "set": monkey.body()}, monkey.body()]
            }
        headers = {"Idempotency-Key": str(dice.randint(0, 40))} if dice.random() < 0.3 else {}
        if dice.random() < 0.2:
            headers["If-Match"] = quote(str(monkey.word()))
        raw = None if method in ("GET", "DELETE") else monkey.raw(body)
        reply = brikick.send(method, path, raw, headers=headers)
        assert reply.status < 500, (method, path, body, reply.body)
        if reply.status >= 400:
            assert set(reply.json["error"]) == {"code", "message", "details"}


def test_the_server_takes_anything(sandbox: SandboxProcess) -> None:
    dice = random.Random(1)  # noqa: S311  # see above
    for _ in range(60):
        connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
        prefix = dice.choice(
            ["/bricklink/api/store/v1/", "/brickowl/v1/", "/brikick/api/v1/store/", "/__sandbox/", "/"]
        )
        path = prefix + quote("".join(dice.choices(string.printable, k=dice.randint(0, 12))))
        name = dice.choice([
            "Authorization", "X-Api-Key", "Content-Type", "If-Match", "X-Forwarded-Host", "X-Forwarded-Proto",
        ])  # fmt: skip
        headers = {name: dice.choice(["", "OAuth x", 'OAuth a="', "Bearer x", "a/b; c", "ÿ", "://"])}
        connection.request(dice.choice(["GET", "POST", "PUT"]), path, body=dice.randbytes(9), headers=headers)
        assert connection.getresponse().status < 500, (path, headers)
        connection.close()

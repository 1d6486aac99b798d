"""Who sells on the imitated marketplaces, and with which credentials.

The demo's accounts are there from the start and after each reset; `bin/up` hands these to the application:

    BrickLink   DEMO_BRICKLINK    ConsumerKey, ConsumerSecret, TokenValue, TokenSecret; the catalog and prices as well
    Brick Owl   DEMO_BRICKOWL     key, with all permissions and the catalog's approval
    Brikick     DEMO_BRIKICK      key, with all scopes

Further sellers, with credentials of their own, are made by the control API (`POST /__sandbox/sellers`).
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.dice import Dice
from sandbox.state import State
from sandbox.switches import Switches

DEMO_BRICKLINK: Mapping[str, str] = {
    "consumer_key": "CKDEMO00000000000000000000000001",
    "consumer_secret": "CSDEMO00000000000000000000000002",
    "token": "TKDEMO00000000000000000000000003",
    "token_secret": "TSDEMO00000000000000000000000004",
}
DEMO_BRICKOWL: Mapping[str, str] = {"key": "d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0d3m0"}
DEMO_BRIKICK: Mapping[str, str] = {"key": "brk_test_d3m0d3m0d3m0d3m0d3m0d3m0"}

# How the demo's accounts are called on each service.
DEMO_SELLERS: Mapping[str, str] = {"name": "demoseller", "store": "Demo Bricks", "email": "owner@demo.example"}

SERVICES = ("bricklink", "brickowl", "brikick")
# What holds for every seller. `eventual_ms`: so long do lists lag behind; `push`: how what the service tells by itself
# arrives (`sandbox/market/notices.py`); `restock`: a cancelled order gives its pieces back.
_EVERYWHERE: Mapping[str, Any] = {"eventual_ms": 0, "push": "now", "restock": True, "oversell": False}
# Counters from which numbers come; none is ever given twice.
_COUNTERS: Mapping[str, int] = {
    "seller": 900, "order_line": 433_000, "pick": 0,
    "bricklink.lot": 301_000_000, "bricklink.order": 25_000_100,
    "brickowl.lot": 2_700_000, "brickowl.order": 9_277_700,
    "brikick.lot": 900_000_000, "brikick.order": 70_000, "brikick.event": 0, "credentials": 10_000,
}  # fmt: skip
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "bricklink": {
        # Calls a day; `quota_mode`: soft (nothing happens), hard (refused), block (refused as a blocked consumer);
        # `quota_window`: rolling, or day, which begins at midnight in a zone so many hours off.
        "quota": 5000, "quota_mode": "soft", "quota_window": "rolling", "quota_zone_hours": 0, "ip_check": False,
        "callback_url": "", **_EVERYWHERE,
    },
    "brickowl": {
        "per_minute": 600, "batch_per_minute": 100, "is_catalog_approved": True,
        "permissions": ["orders", "inventory", "catalog", "wishlist", "user"], "notify_ip": "", "notify_port": 42500,
        **_EVERYWHERE,
    },
    "brikick": {
        # `access`: DISABLED, PENDING, APPROVED, REVOKED; `status`: ACTIVE, VACATION, SUSPENDED; `price_cap`: what
        # happens above twice the average price: refuse, block (kept back for approval), off.
        "per_minute": 60, "per_day": 10_000, "access": "APPROVED", "status": "ACTIVE", "price_cap": "refuse",
        "scopes": [
            "lots:read", "lots:write", "orders:read", "orders:write", "webhooks", "catalog:read",
        ],
        **_EVERYWHERE,
    },
}  # fmt: skip


_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "push": ("now", "late", "twice", "never", "mixed"), "quota_mode": ("soft", "hard", "block"),
    "quota_window": ("rolling", "day"), "access": ("DISABLED", "PENDING", "APPROVED", "REVOKED"),
    "status": ("ACTIVE", "VACATION", "SUSPENDED"), "price_cap": ("refuse", "block", "off"),
}  # fmt: skip
# What a seller whose calls are used up is left with.
_NO_QUOTA: Mapping[str, Mapping[str, Any]] = {
    "bricklink": {"quota": 0, "quota_mode": "hard"}, "brickowl": {"per_minute": 0}, "brikick": {"per_day": 0},
}  # fmt: skip


class SellerError(ValueError):
    """A seller can't be made like that; the text says why."""


@dataclass(frozen=True, slots=True)
class Seller:
    """One who sells on one service."""

    id: int
    service: str
    name: str
    store: str
    currency: str
    country: str
    email: str
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Seller":
        """Read a row."""
        return cls(
            row["id"], row["service"], row["name"], row["store"], row["currency"], row["country"], row["email"],
            json.loads(row["settings"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """What all services share."""

    state: State
    clock: Clock
    switches: Switches


def make_seller(world: World, *, service: str, command: Mapping[str, Any]) -> dict[str, Any]:
    """Make one from what the control API was told; answer it with its credentials. Raises SellerError."""
    if service not in SERVICES:
        raise SellerError(f"'service' is one of {', '.join(SERVICES)}")
    defaults = _DEFAULTS[service]
    settings = {**defaults, **_checked(service, command.get("settings", {}))}
    with world.state.changing() as writer:
        number = world.state.next("seller")
        name = str(command.get("name") or f"seller{number}")
        try:
            writer.execute(
                "INSERT INTO sellers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, service, name, str(command.get("store") or f"{name.capitalize()} Bricks"),
                    str(command.get("currency") or "EUR"), str(command.get("country") or "DE"),
                    str(command.get("email") or f"{name}@example.com"), json.dumps(settings), world.clock.now_ms(),
                ),
            )  # fmt: skip
        except sqlite3.IntegrityError as error:
            raise SellerError(f"{service} has a seller '{name}'") from error
        credentials = {**_made_up(service, number), **command.get("credentials", {})}
        _keep_credentials(writer, service, number, credentials, command)
        row = writer.execute("SELECT * FROM sellers WHERE id = ?", (number,)).fetchone()
    return {**described(Seller.of(row)), "credentials": credentials}


def renew_credentials(world: World, seller_id: int) -> dict[str, str]:
    """Give a seller other credentials, as the service's own page does; the old ones open nothing any more.

    Raises LookupError.
    """
    with world.state.changing() as writer:
        seller = find(writer, seller_id)
        credentials = _made_up(seller.service, world.state.next("credentials"))
        writer.execute("DELETE FROM credentials WHERE seller_id = ?", (seller.id,))
        _keep_credentials(writer, seller.service, seller.id, credentials, {})
    return credentials


def _keep_credentials(
    writer: sqlite3.Connection, service: str, seller_id: int, credentials: Mapping[str, str],
    command: Mapping[str, Any],
) -> None:  # fmt: skip
    for row in _credential_rows(service, credentials):
        writer.execute(
            "INSERT INTO credentials (service, kind, key, secret, belongs_to, seller_id, ip, mask) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (service, *row, seller_id, str(command.get("ip") or "0.0.0.0"), str(command.get("mask") or "0.0.0.0")),  # noqa: S104  # any
        )


def _checked(service: str, changed: Any) -> Mapping[str, Any]:
    """Answer settings whose names and types are right; raises SellerError."""
    defaults = _DEFAULTS[service]
    if not isinstance(changed, dict):
        raise SellerError("'settings' is an object")
    for name, value in changed.items():
        if name not in defaults:
            raise SellerError(f"unknown setting '{name}'; there are {', '.join(defaults)}")
        if type(value) is not type(defaults[name]):
            raise SellerError(f"setting '{name}' is such as {defaults[name]!r}, not {value!r}")
        if value not in _ALLOWED.get(name, (value,)):
            raise SellerError(f"setting '{name}' is one of {', '.join(_ALLOWED[name])}")
    return changed


def described(seller: Seller) -> dict[str, Any]:
    """Answer a seller as the control API shows it."""
    return {
        "id": seller.id, "service": seller.service, "name": seller.name, "store": seller.store,
        "currency": seller.currency, "country": seller.country, "email": seller.email, "settings": seller.settings,
    }  # fmt: skip


def change_settings(world: World, seller_id: int, changed: Mapping[str, Any]) -> None:
    """Change some settings; raises SellerError, LookupError."""
    with world.state.changing() as writer:
        seller = find(writer, seller_id)
        _checked(seller.service, changed)
        writer.execute(
            "UPDATE sellers SET settings = ? WHERE id = ?", (json.dumps({**seller.settings, **changed}), seller_id)
        )


def find(connection: sqlite3.Connection, seller_id: int) -> Seller:
    """Answer a seller; raises LookupError."""
    row = connection.execute("SELECT * FROM sellers WHERE id = ?", (seller_id,)).fetchone()
    if row is None:
        raise LookupError(seller_id)
    return Seller.of(row)


def credential(connection: sqlite3.Connection, service: str, kind: str, key: str) -> sqlite3.Row | None:
    """Answer what is known of a credential."""
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM credentials WHERE service = ? AND kind = ? AND key = ?", (service, kind, key)
    ).fetchone()
    return found


def revoke(connection: sqlite3.Connection, seller_id: int) -> None:
    """Take a seller's tokens or keys back."""
    connection.execute("UPDATE credentials SET is_revoked = 1 WHERE seller_id = ? AND kind != 'consumer'", (seller_id,))


def named(connection: sqlite3.Connection, service: str, name: str) -> Seller | None:
    """Answer a seller by name."""
    row = connection.execute("SELECT * FROM sellers WHERE service = ? AND name = ?", (service, name)).fetchone()
    return None if row is None else Seller.of(row)


def afflict(world: World, service: str, name: str, kind: str) -> None:
    """Let something befall a seller that stays."""
    with world.state.changing() as writer:
        seller = named(writer, service, name)
        if seller is None:
            return
        if kind == "token_revoked":
            revoke(writer, seller.id)
        elif kind == "ip_changed":
            writer.execute(
                "UPDATE credentials SET ip = '203.0.113.1', mask = '255.255.255.255' WHERE seller_id = ?", (seller.id,)
            )
            if "ip_check" in seller.settings:
                change_settings(world, seller.id, {"ip_check": True})
        else:
            change_settings(world, seller.id, _NO_QUOTA[service])


def populate(world: World) -> None:
    """Fill an empty state: the counters, and the demo's accounts."""
    with world.state.changing() as writer:
        writer.executemany("INSERT INTO counters VALUES (?, ?)", list(_COUNTERS.items()))
        make_seller(world, service="bricklink", command={**DEMO_SELLERS, "credentials": DEMO_BRICKLINK})
        make_seller(world, service="brickowl", command={**DEMO_SELLERS, "credentials": DEMO_BRICKOWL})
        make_seller(world, service="brikick", command={**DEMO_SELLERS, "credentials": DEMO_BRIKICK})


def _made_up(service: str, number: int) -> dict[str, str]:
    dice = Dice(number, service)

    def word(start: str, length: int) -> str:
        return start + "".join(dice.one("0123456789ABCDEF") for _ in range(length - len(start)))

    if service == "bricklink":
        names = {"consumer_key": "CK", "consumer_secret": "CS", "token": "TK", "token_secret": "TS"}
        return {name: word(start, 32) for name, start in names.items()}
    if service == "brikick":
        return {"key": f"brk_test_{word('', 32).lower()}"}
    return {"key": word("", 64).lower()}


def _credential_rows(service: str, given: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    if service == "bricklink":
        consumer = given["consumer_key"]
        return [
            ("consumer", consumer, given["consumer_secret"], ""),
            ("token", given["token"], given["token_secret"], consumer),
        ]
    return [("key", given["key"], "", "")]

"""Clock, switches, snapshots, sellers."""

from collections.abc import Sequence
from typing import Any

from sandbox.bricklink import quota
from sandbox.clock import parsed
from sandbox.market import events
from sandbox.sellers import World, change_settings, described, find, make_seller, renew_credentials
from sandbox.steering.commands import SELLER, CommandError, Route, Sent, Words


def _snapshot(world: World, found: Words, _sent: Sent) -> Any:
    world.state.snapshot(found["name"])
    return {}


def _switches(world: World, _found: Words, sent: Sent) -> Any:
    world.switches.set({name: str(value) for name, value in sent.items()})
    return world.switches.all()


def _clock(world: World, _found: Words, sent: Sent) -> Any:
    if sent:
        mode = sent.get("mode", "offset")
        if mode not in ("real", "offset", "frozen"):
            raise CommandError("'mode' is one of real, offset, frozen")
        at = None if sent.get("at") is None else parsed(str(sent["at"]))
        world.clock.set(mode=mode, at_ms=at, advance_ms=int(float(sent.get("advance_s", 0)) * 1000))
    return world.clock.described()


def _make(world: World, _found: Words, sent: Sent) -> Any:
    return make_seller(world, service=str(sent.get("service", "")), command=sent)


def _sellers(world: World, _found: Words, _sent: Sent) -> Any:
    with world.state.reading() as reader:
        numbers = [row[0] for row in reader.execute("SELECT id FROM sellers ORDER BY id")]
        return [described(find(reader, number)) for number in numbers]


def _seller(world: World, found: Words, _sent: Sent) -> Any:
    with world.state.reading() as reader:
        seller = find(reader, int(found["seller"]))
        row = described(seller)
        if seller.service == "bricklink":
            row["calls_used"] = quota.used(reader, seller, world.clock.now_ms())
            row["is_over_quota"] = row["calls_used"] > int(seller.settings["quota"])
        counts = "SELECT count(*), coalesce(sum(quantity), 0) FROM lots WHERE seller_id = ? AND deleted_at IS NULL"
        row["lots"], row["pieces"] = reader.execute(counts, (seller.id,)).fetchone()
    return row


def _credentials(world: World, found: Words, _sent: Sent) -> Any:
    return {"credentials": renew_credentials(world, int(found["seller"]))}


def _change(world: World, found: Words, sent: Sent) -> Any:
    with world.state.changing() as writer:
        before = find(writer, int(found["seller"]))
        change_settings(world, before.id, sent.get("settings", {}))
        seller = find(writer, before.id)
        if seller.settings.get("access") != before.settings.get("access"):
            events.webhook(world, writer, seller, "store.access_changed", seller.id, version=1)
    return _seller(world, found, sent)


ROUTES: Sequence[Route] = (
    ("POST", r"/snapshot/(?P<name>[\w-]+)", _snapshot),
    ("GET", "/switches", _switches),
    ("POST", "/switches", _switches),
    ("GET", "/clock", _clock),
    ("POST", "/clock", _clock),
    ("POST", "/sellers", _make),
    ("GET", "/sellers", _sellers),
    ("GET", SELLER, _seller),
    ("PATCH", SELLER, _change),
    ("POST", f"{SELLER}/credentials", _credentials),
)

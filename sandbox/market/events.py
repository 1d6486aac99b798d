"""Who hears of what happened, in each service's way."""

import json
import sqlite3

from sandbox.clock import iso
from sandbox.market import notices, papers
from sandbox.sellers import Seller, World

# What BrickLink calls the event, and which of them Brick Owl tells.
_BRICKLINK = {"placed": "Order", "buyer": "Order", "items": "Order", "message": "Message", "feedback": "Feedback"}
_BRIKICK = {"placed": "order.created", "buyer": "order.updated", "items": "order.updated", "changed": "order.updated",
            "cancelled": "order.cancelled"}  # fmt: skip
# With which the pieces of lots come and go.
_MOVING = ("placed", "items", "cancelled")


def tell(
    world: World, writer: sqlite3.Connection, seller: Seller, event: str, number: int, *, version: int = 1
) -> None:
    """Tell a seller of an order: `placed`, `buyer` (changed it), `items`, `message`, `feedback`, `cancelled`."""
    now_ms = world.clock.now_ms()
    if seller.service == "bricklink":
        kind = _BRICKLINK.get(event, "Order" if event == "cancelled" else "")
        if not kind:
            return
        doc = {"event_type": kind, "resource_id": number, "timestamp": iso(now_ms)}
        papers.write(writer, seller, "notification", doc, at=now_ms, ref=number)
        if seller.settings["callback_url"]:
            notices.push(
                world, writer, seller, method="POST", url=seller.settings["callback_url"], body=json.dumps([doc]),
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
    elif seller.service == "brickowl":
        if event == "placed" and seller.settings["notify_ip"]:
            address = f"http://{seller.settings['notify_ip']}:{seller.settings['notify_port']}"
            url = f"{address}/brick_owl_order_notify?order_id={number}&store_id={seller.id}"
            notices.push(world, writer, seller, method="GET", url=url)
    elif kind := _BRIKICK.get(event, ""):
        webhook(world, writer, seller, kind, number, version=version)
        moved = "SELECT lots.id, lots.version FROM lots JOIN order_lines ON lot_id = lots.id WHERE order_id = ?"
        for lot_id, lot_version in writer.execute(moved, (number,)).fetchall() if event in _MOVING else ():
            webhook(world, writer, seller, "lot.updated", lot_id, version=lot_version)


def webhook(world: World, writer: sqlite3.Connection, seller: Seller, kind: str, number: int, *, version: int) -> None:
    """Send an event to those addresses that a Brikick store wants it at."""
    for hook in papers.listed(writer, seller, "webhook"):
        if kind in hook.doc["events"] or kind == "test":
            send(world, writer, seller, hook, kind=kind, data={"id": number, "version": version})


def send(
    world: World,
    writer: sqlite3.Connection,
    seller: Seller,
    hook: papers.Paper,
    *,
    kind: str,
    data: dict[str, int],
) -> None:
    """Send an event to one address, signed; ids only, the rest is fetched."""
    now_ms = world.clock.now_ms()
    event = f"evt_{world.state.next('brikick.event'):08d}"
    body = {"id": event, "type": kind, "created_at": iso(now_ms), "store_id": seller.id, "data": data}
    headers = {"Content-Type": "application/json", "X-Brikick-Event": kind, "X-Brikick-Delivery": f"dlv_{event[4:]}"}
    notices.push(
        world, writer, seller, method="POST", url=hook.doc["url"], body=json.dumps(body), headers=headers,
        secret=hook.doc["secret"],
    )  # fmt: skip

"""The store itself, exports of all its lots, webhooks, and the catalog."""

import gzip
import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.brikick.call import LETTERS, TYPES, Answer, BrikickError, Call, Route, one_of, text_of
from sandbox.brikick.lots import lot_row
from sandbox.clock import DAY_MS, iso
from sandbox.dice import Dice
from sandbox.items import items
from sandbox.market import events, lots, notices, papers
from sandbox.market.papers import Paper
from sandbox.sellers import Seller, World, change_settings, find

_EVENTS = (
    "order.created", "order.updated", "order.cancelled", "lot.updated", "lot.deleted", "store.access_changed",
)  # fmt: skip
_DAY_MINUTES = 1440


def calls_today(connection: sqlite3.Connection, seller: Seller, now_ms: int) -> int:
    """Answer the calls since midnight."""
    since = now_ms // DAY_MS * _DAY_MINUTES
    query = "SELECT coalesce(sum(count), 0) FROM calls WHERE seller_id = ? AND minute >= ?"
    return int(connection.execute(query, (seller.id, since)).fetchone()[0])


def _me(call: Call) -> Answer:
    seller, settings = call.seller, call.seller.settings
    with call.world.state.reading() as reader:
        used = calls_today(reader, seller, call.now_ms)
        count = reader.execute(
            "SELECT count(*) FROM lots WHERE seller_id = ? AND deleted_at IS NULL", (seller.id,)
        ).fetchone()[0]
    limits = {
        "per_minute": settings["per_minute"], "per_day": settings["per_day"],
        "day_remaining": max(0, int(settings["per_day"]) - used),
    }  # fmt: skip
    return Answer(
        {
            "store_id": seller.id,
            "name": seller.store,
            "slug": seller.store.lower().replace(" ", "-"),
            "currency": seller.currency,
            "country": seller.country,
            "status": settings["status"],
            "access": settings["access"],
            "scopes": settings["scopes"],
            "lots_count": count,
            "limits": limits,
        }
    )


def _change_me(call: Call) -> Answer:
    status = one_of("status", call.body(("status",), ("status",))["status"], ("ACTIVE", "VACATION"))
    with call.world.state.changing() as writer:
        change_settings(call.world, call.seller.id, {"status": status})
        seller = find(writer, call.seller.id)
    return _me(Call(call.world, seller, call.request, call.now_ms))


def _export(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        token = f"{Dice('export', call.seller.id, call.now_ms, call.world.state.next('pick')).number():016x}"
        doc = {"snapshot_at": call.now_ms, "token": token, "polls": 0}
        job = papers.write(writer, call.seller, "export", doc, at=call.now_ms)
    return Answer({"job_id": job.id}, 202)


def _job(call: Call) -> Answer:
    """Answer how far an export is: asked the first time it runs, then it is done."""
    with call.world.state.changing() as writer:
        job = papers.get(writer, call.seller, "export", call.number("job"))
        if job is None:
            raise BrikickError.missing(f"job {call.found['job']}")
        papers.rewrite(writer, job, {**job.doc, "polls": job.doc["polls"] + 1})
    is_done = job.doc["polls"] > 0
    url = f"{call.request.root}/exports/{job.id}-{job.doc['token']}.jsonl.gz"
    return Answer(
        {
            "status": "DONE" if is_done else "RUNNING",
            "url": url if is_done else None,
            "snapshot_at": iso(job.doc["snapshot_at"]),
        }
    )


def exported(world: World, number: int, token: str) -> Iterator[bytes] | None:
    """Answer an export's file in pieces; None where there is no such."""
    with world.state.reading() as reader:
        row = reader.execute("SELECT * FROM papers WHERE id = ? AND kind = 'export'", (number,)).fetchone()
        job = Paper.of(row) if row is not None else None
        if job is None or job.doc["token"] != token:
            return None
        seller = find(reader, job.seller_id)
    return _pieces(world, seller, job.doc["snapshot_at"])


def _pieces(world: World, seller: Seller, snapshot_at: int) -> Iterator[bytes]:
    rows: list[str] = []
    with world.state.reading() as reader:
        for lot in lots.each(reader, seller, as_of=snapshot_at):
            rows.append(json.dumps(lot_row(lot, seller.currency), ensure_ascii=False) + "\n")
            if len(rows) == 1_000:  # noqa: PLR2004  # rows of a piece
                yield gzip.compress("".join(rows).encode(), 1)
                rows = []
    # Pieces one after the other are one file to whoever unpacks them.
    yield gzip.compress("".join(rows).encode(), 1)


def _hook_row(hook: Paper, *, has_secret: bool = False) -> dict[str, Any]:
    row: dict[str, Any] = {"id": hook.id, "url": hook.doc["url"], "events": hook.doc["events"]}
    return {**row, "secret": hook.doc["secret"]} if has_secret else row


def _make_hook(call: Call) -> Answer:
    sent = call.body(("url", "events"), ("url", "events"))
    url = text_of("url", sent["url"])
    try:
        notices.check_address(url)
    except ValueError as error:
        raise BrikickError.invalid("url", str(error)) from None
    if not isinstance(sent["events"], list) or not sent["events"]:
        raise BrikickError.invalid("events", "is a list of events")
    for event in sent["events"]:
        one_of("events", event, _EVENTS)
    with call.world.state.changing() as writer:
        dice = Dice("webhook", call.seller.id, call.world.state.next("pick"))
        doc = {"url": url, "events": sent["events"], "secret": f"whsec_{dice.number():016x}{dice.number():016x}"}
        hook = papers.write(writer, call.seller, "webhook", doc, at=call.now_ms)
    return Answer(_hook_row(hook, has_secret=True), 201)


def _hooks(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return Answer({"items": [_hook_row(hook) for hook in papers.listed(reader, call.seller, "webhook")]})


def _hook(call: Call, connection: sqlite3.Connection) -> Paper:
    hook = papers.get(connection, call.seller, "webhook", call.number("hook"))
    if hook is None:
        raise BrikickError.missing(f"webhook {call.found['hook']}")
    return hook


def _drop_hook(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        papers.discard(writer, _hook(call, writer))
    return Answer(status=204)


def _try_hook(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        hook = _hook(call, writer)
        events.send(call.world, writer, call.seller, hook, kind="test", data={"id": hook.id, "version": 1})
    return Answer({"queued": True}, 202)


def _items(call: Call) -> Answer:
    kind, number = call.request.word("item_type"), call.request.word("item_no")
    if kind:
        one_of("item_type", kind, tuple(TYPES))
    numbered = [
        (place, item)
        for place, item in enumerate(items().by_no.values(), start=1)
        if (not kind or item.type == TYPES[kind]) and (not number or item.no == number)
    ]
    text = call.request.word("limit", "500")
    limit = int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= 2_000 else 500  # noqa: PLR2004
    after = call.request.word("cursor")
    start = int(after) if after.isascii() and after.isdigit() else 0
    rows = [
        {"id": place, "item_type": LETTERS[item.type], "item_no": item.no, "name": item.name, "status": "ACTIVE"}
        for place, item in numbered[start : start + limit]
    ]
    return Answer({"items": rows, "next_cursor": str(start + limit) if start + limit < len(numbered) else None})


def _colors(_call: Call) -> Answer:
    rows = [{"id": color.id, "name": color.name, "rgb": color.rgb} for color in items().colors.values() if color.id]
    return Answer({"items": rows, "next_cursor": None})


ROUTES: Sequence[Route] = (
    Route("GET", "/me", _me),
    Route("PATCH", "/me", _change_me, "lots:write"),
    Route("POST", "/lots/export", _export, "lots:read"),
    Route("GET", r"/jobs/(?P<job>\d+)", _job, "lots:read"),
    Route("POST", "/webhooks", _make_hook, "webhooks"),
    Route("GET", "/webhooks", _hooks, "webhooks"),
    Route("DELETE", r"/webhooks/(?P<hook>\d+)", _drop_hook, "webhooks"),
    Route("POST", r"/webhooks/(?P<hook>\d+)/test", _try_hook, "webhooks"),
    Route("GET", "/catalog/items", _items, "catalog:read"),
    Route("GET", "/catalog/colors", _colors, "catalog:read"),
)

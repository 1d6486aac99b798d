"""The smaller resources: feedback, notifications, coupons, shipping methods, members."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.bricklink.call import Call, Handler
from sandbox.bricklink.envelope import Answer, Refusal, money, nothing
from sandbox.bricklink.fields import amount, whole
from sandbox.clock import DAY_MS, iso
from sandbox.market import orders, papers
from sandbox.market.papers import Paper

_Row = dict[str, Any]
_RATINGS = ("PRAISE", "NEUTRAL", "COMPLAINT")
_COUPON_STATUSES = ("O", "A", "S", "D", "E")
_METHODS: Sequence[_Row] = (
    {"method_id": 116410, "name": "Letter tracked", "note": "", "insurance": False, "is_default": True, "area": "B",
     "is_available": True},
    {"method_id": 116411, "name": "Parcel", "note": "insured up to 500", "insurance": True, "is_default": False,
     "area": "D", "is_available": True},
    {"method_id": 116412, "name": "Parcel international", "note": "", "insurance": True, "is_default": False,
     "area": "I", "is_available": True},
)  # fmt: skip


def _paper(call: Call, connection: sqlite3.Connection, kind: str, name: str) -> Paper:
    text = call.found["number"]
    paper = papers.get(connection, call.seller, kind, int(text)) if text.isascii() and text.isdigit() else None
    if paper is None:
        raise Refusal.unknown(f"{name}: {text}")
    return paper


def _object(call: Call) -> Mapping[str, Any]:
    sent = call.body()
    if not isinstance(sent, dict):
        raise Refusal.parameter("expected an object")
    return sent


def _feedback_row(paper: Paper) -> _Row:
    return {"feedback_id": paper.id, **paper.doc}


def _all_feedback(call: Call) -> Answer:
    direction = call.word("direction", "in").lower()
    if direction not in ("in", "out"):
        raise Refusal.parameter(f"direction: {direction}")
    side = "to" if direction == "in" else "from"
    with call.world.state.reading() as reader:
        found = papers.listed(reader, call.seller, "feedback")
    return Answer([_feedback_row(paper) for paper in found if paper.doc[side] == call.seller.name])


def _one_feedback(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return Answer(_feedback_row(_paper(call, reader, "feedback", "feedback_id")))


def _give_feedback(call: Call) -> Answer:
    sent = _object(call)
    rating, number = whole("rating", sent.get("rating"), most=2), whole("order_id", sent.get("order_id"))
    with call.world.state.changing() as writer:
        order = orders.get(writer, number)
        if order is None:
            raise Refusal.unknown(f"order_id: {number}")
        if order.seller_id != call.seller.id:
            raise Refusal.forbidden(f"order_id: {number}")
        known = papers.listed(writer, call.seller, "feedback", ref=number)
        if any(paper.doc["from"] == call.seller.name for paper in known):
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", f"order_id: {number} has feedback")
        doc = {
            "order_id": number, "from": call.seller.name, "to": order.buyer, "date_rated": iso(call.now_ms),
            "rating": rating, "rating_of_bs": "B", "comment": str(sent.get("comment") or ""),
        }  # fmt: skip
        paper = papers.write(writer, call.seller, "feedback", doc, at=call.now_ms, ref=number)
    return Answer(_feedback_row(paper), code=201)


def _reply(call: Call) -> Answer:
    sent = _object(call)
    if not sent.get("reply"):
        raise Refusal.parameter("reply: missing")
    with call.world.state.changing() as writer:
        paper = _paper(call, writer, "feedback", "feedback_id")
        if paper.doc["to"] != call.seller.name or "reply" in paper.doc:
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", f"feedback_id: {paper.id}")
        papers.rewrite(writer, paper, {**paper.doc, "reply": str(sent["reply"])})
    return nothing(201)


def _notifications(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        found = papers.listed(writer, call.seller, "notification", unread=True)
        papers.mark_read(writer, found)
    return Answer([paper.doc for paper in found])


def _coupon_row(call: Call, paper: Paper) -> _Row:
    doc = dict(paper.doc)
    if doc["status"] == "A":
        doc["status"] = call.world.switches["bl.coupon_redeemed"]
    return {"coupon_id": paper.id, **doc}


def _coupons(call: Call) -> Answer:
    direction = call.word("direction", "out").lower()
    if direction not in ("in", "out"):
        raise Refusal.parameter(f"direction: {direction}")
    wanted = {part.strip().upper() for part in call.word("status").split(",") if part.strip()}
    if wanted - set(_COUPON_STATUSES):
        raise Refusal.parameter(f"status: {call.word('status')}")
    if "S" in wanted:
        wanted.add("A")
    with call.world.state.reading() as reader:
        found = papers.listed(reader, call.seller, "coupon") if direction == "out" else []
    return Answer([_coupon_row(call, paper) for paper in found if not wanted or paper.doc["status"] in wanted])


def _coupon(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return Answer(_coupon_row(call, _paper(call, reader, "coupon", "coupon_id")))


def _coupon_values(sent: Mapping[str, Any]) -> _Row:
    found: _Row = {}
    for name in ("buyer_name", "remarks", "date_expire"):
        if name in sent:
            found[name] = str(sent[name] or "")
    if "discount_type" in sent:
        if sent["discount_type"] not in ("F", "S"):
            raise Refusal.parameter(f"discount_type: {sent['discount_type']}")
        found["discount_type"] = sent["discount_type"]
    for name in ("discount_amount", "max_discount_amount"):
        if name in sent:
            found[name] = found[f"disp_{name}"] = money(amount(name, sent[name]))
    if "discount_rate" in sent:
        found["discount_rate"] = whole("discount_rate", sent["discount_rate"], most=100)
    if isinstance(sent.get("applies_to"), dict):
        found["applies_to"] = sent["applies_to"]
    return found


def _make_coupon(call: Call) -> Answer:
    sent = _object(call)
    for name in ("buyer_name", "discount_type"):
        if not sent.get(name):
            raise Refusal.parameter(f"{name}: missing")
    doc = {
        "date_issued": iso(call.now_ms), "date_expire": iso(call.now_ms + 90 * DAY_MS),
        "seller_name": call.seller.name, "store_name": call.seller.store, "status": "O", "remarks": "",
        "currency_code": call.seller.currency, "disp_currency_code": call.seller.currency,
        "applies_to": {"type": "A", "except_on_sale": False}, **_coupon_values(sent),
    }  # fmt: skip
    with call.world.state.changing() as writer:
        paper = papers.write(writer, call.seller, "coupon", doc, at=call.now_ms)
    return Answer(_coupon_row(call, paper), code=201)


def _change_coupon(call: Call) -> Answer:
    values = _coupon_values(_object(call))
    with call.world.state.changing() as writer:
        paper = _paper(call, writer, "coupon", "coupon_id")
        if paper.doc["status"] != "O":
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", f"coupon_id: {paper.id}")
        papers.rewrite(writer, paper, {**paper.doc, **values})
        return Answer(_coupon_row(call, _paper(call, writer, "coupon", "coupon_id")))


def _drop_coupon(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        papers.discard(writer, _paper(call, writer, "coupon", "coupon_id"))
    return nothing(204)


def _methods(_call: Call) -> Answer:
    return Answer(list(_METHODS))


def _method(call: Call) -> Answer:
    found = next((row for row in _METHODS if str(row["method_id"]) == call.found["number"]), None)
    if found is None:
        raise Refusal.unknown(f"method_id: {call.found['number']}")
    return Answer(found)


def _member(call: Call, connection: sqlite3.Connection) -> str:
    name = call.found["name"]
    row = connection.execute(
        "SELECT 1 FROM sellers WHERE service = 'bricklink' AND name = ? UNION "
        "SELECT 1 FROM orders JOIN sellers ON sellers.id = seller_id WHERE service = 'bricklink' AND buyer = ?",
        (name, name),
    ).fetchone()
    if row is None:
        raise Refusal.unknown(f"username: {name}")
    return name


def _ratings(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        name = _member(call, reader)
        rows = reader.execute(
            "SELECT json_extract(doc, '$.rating'), count(*) FROM papers WHERE kind = 'feedback' "
            "AND json_extract(doc, '$.to') = ? GROUP BY 1",
            (name,),
        ).fetchall()
    counts = {int(rating): count for rating, count in rows}
    return Answer({"user_name": name, "rating": {word: counts.get(place, 0) for place, word in enumerate(_RATINGS)}})


def _note_row(paper: Paper) -> _Row:
    return {"note_id": paper.id, **paper.doc}


def _note_paper(call: Call, connection: sqlite3.Connection) -> Paper | None:
    found = papers.listed(connection, call.seller, "note", ref=_member(call, connection))
    return found[0] if found else None


def _note(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        paper = _note_paper(call, reader)
    if paper is None:
        raise Refusal.unknown(f"username: {call.found['name']}")
    return Answer(_note_row(paper))


def _write_note(call: Call) -> Answer:
    text = str(_object(call).get("note_text") or "")
    if not text:
        raise Refusal.parameter("note_text: missing")
    with call.world.state.changing() as writer:
        paper = _note_paper(call, writer)
        is_new = call.request.method == "POST"
        if (paper is None) != is_new:
            description = f"username: {call.found['name']}"
            raise Refusal(422, "RESOURCE_UPDATE_NOT_ALLOWED", description) if paper else Refusal.unknown(description)
        doc = {"user_name": call.found["name"], "note_text": text, "date_noted": iso(call.now_ms)}
        if paper is None:
            paper = papers.write(writer, call.seller, "note", doc, at=call.now_ms, ref=call.found["name"])
        else:
            papers.rewrite(writer, paper, doc)
    return Answer({"note_id": paper.id, **doc}, code=201 if is_new else 200)


def _drop_note(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        paper = _note_paper(call, writer)
        if paper is None:
            raise Refusal.unknown(f"username: {call.found['name']}")
        papers.discard(writer, paper)
    return nothing(204)


_NUMBER, _NAME = r"(?P<number>[^/]+)", r"/members/(?P<name>[^/]+)"
# The manual writes `my_notes`, most clients `notes`.
_NOTES = f"{_NAME}/(?:my_)?notes"
ROUTES: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/feedback", _all_feedback),
    ("POST", "/feedback", _give_feedback),
    ("GET", f"/feedback/{_NUMBER}", _one_feedback),
    ("POST", f"/feedback/{_NUMBER}/reply", _reply),
    ("GET", "/notifications", _notifications),
    ("GET", "/coupons", _coupons),
    ("POST", "/coupons", _make_coupon),
    ("GET", f"/coupons/{_NUMBER}", _coupon),
    ("PUT", f"/coupons/{_NUMBER}", _change_coupon),
    ("DELETE", f"/coupons/{_NUMBER}", _drop_coupon),
    ("GET", "/settings/shipping_methods", _methods),
    ("GET", f"/settings/shipping_methods/{_NUMBER}", _method),
    ("GET", f"{_NAME}/ratings", _ratings),
    ("GET", _NOTES, _note),
    ("POST", _NOTES, _write_note),
    ("PUT", _NOTES, _write_note),
    ("DELETE", _NOTES, _drop_note),
)

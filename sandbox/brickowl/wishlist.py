"""Wish lists and the collection: small lists of a user's own."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sandbox.brickowl.boids import Boid, ids_of
from sandbox.brickowl.boids import parsed as read_boid
from sandbox.brickowl.call import Call, Endpoint, OwlError
from sandbox.market import papers
from sandbox.market.papers import Paper

_DONE = {"status": "success"}
_LOT_FIELDS = ("minimum_quantity", "maximum_price", "note", "minimum_condition")
_OWN_FIELDS = ("quantity", "price", "note", "condition")


def _list(call: Call, connection: sqlite3.Connection) -> Paper:
    call.needed("wishlist_id")
    found = papers.get(connection, call.seller, "wishlist", call.whole("wishlist_id"))
    if found is None:
        raise OwlError("Wishlist not found")
    return found


def _lists(call: Call) -> Any:
    with call.world.state.reading() as reader:
        found = papers.listed(reader, call.seller, "wishlist")
    return [{"wishlist_id": str(paper.id), **paper.doc} for paper in found]


def _create_list(call: Call) -> Any:
    doc = {"name": call.needed("name"), "description": call.word("description")}
    with call.world.state.changing() as writer:
        made = papers.write(writer, call.seller, "wishlist", doc, at=call.now_ms)
    return {**_DONE, "wishlist_id": str(made.id)}


def _update_list(call: Call) -> Any:
    with call.world.state.changing() as writer:
        paper = _list(call, writer)
        papers.rewrite(writer, paper, {**paper.doc, "name": call.needed("name")})
    return dict(_DONE)


def _delete_list(call: Call) -> Any:
    with call.world.state.changing() as writer:
        paper = _list(call, writer)
        for lot in papers.listed(writer, call.seller, "wish", ref=paper.id):
            papers.discard(writer, lot)
        papers.discard(writer, paper)
    return dict(_DONE)


def _row(paper: Paper) -> dict[str, Any]:
    boid = read_boid(paper.doc["boid"])
    return {"lot_id": str(paper.id), **paper.doc, "ids": ids_of(boid) if boid else []}


def _boid(call: Call) -> str:
    text = call.needed("boid")
    boid = read_boid(text)
    if boid is None:
        raise OwlError(f"Invalid BOID - {text}")
    color = call.word("color_id")
    return Boid(boid.item, int(color)).text if color.isascii() and color.isdigit() else boid.text


def _lots(call: Call) -> Any:
    with call.world.state.reading() as reader:
        return [_row(paper) for paper in papers.listed(reader, call.seller, "wish", ref=_list(call, reader).id)]


def _create_lot(call: Call) -> Any:
    doc = {"boid": _boid(call), "minimum_quantity": "1"}
    with call.world.state.changing() as writer:
        made = papers.write(writer, call.seller, "wish", doc, at=call.now_ms, ref=_list(call, writer).id)
    return {**_DONE, "lot_id": str(made.id)}


def _collection(call: Call) -> Any:
    with call.world.state.reading() as reader:
        return [_row(paper) for paper in papers.listed(reader, call.seller, "owned")]


def _create_owned(call: Call) -> Any:
    with call.world.state.changing() as writer:
        made = papers.write(writer, call.seller, "owned", {"boid": _boid(call), "quantity": "1"}, at=call.now_ms)
    return {**_DONE, "lot_id": str(made.id)}


def _paper(call: Call, writer: sqlite3.Connection, kind: str) -> Paper:
    call.needed("lot_id")
    paper = papers.get(writer, call.seller, kind, call.whole("lot_id"))
    if paper is None or (kind == "wish" and paper.ref != call.needed("wishlist_id")):
        raise OwlError("Lot not found")
    return paper


def _update(kind: str, fields: tuple[str, ...]) -> Any:
    def update(call: Call) -> Any:
        changed = {name: call.word(name) for name in fields if name in call.arguments}
        with call.world.state.changing() as writer:
            paper = _paper(call, writer, kind)
            papers.rewrite(writer, paper, {**paper.doc, **changed})
        return dict(_DONE)

    return update


def _delete(kind: str) -> Any:
    def delete(call: Call) -> Any:
        with call.world.state.changing() as writer:
            papers.discard(writer, _paper(call, writer, kind))
        return dict(_DONE)

    return delete


ENDPOINTS: Mapping[str, Endpoint] = {
    "wishlist/lists": Endpoint("GET", _lists, "wishlist"),
    "wishlist/lots": Endpoint("GET", _lots, "wishlist"),
    "wishlist/create_list": Endpoint("POST", _create_list, "wishlist"),
    "wishlist/update_list": Endpoint("POST", _update_list, "wishlist"),
    "wishlist/delete_list": Endpoint("POST", _delete_list, "wishlist"),
    "wishlist/create_lot": Endpoint("POST", _create_lot, "wishlist"),
    "wishlist/update": Endpoint("POST", _update("wish", _LOT_FIELDS), "wishlist"),
    "wishlist/delete_lot": Endpoint("POST", _delete("wish"), "wishlist"),
    "collection/lots": Endpoint("GET", _collection, "wishlist"),
    "collection/create_lot": Endpoint("POST", _create_owned, "wishlist"),
    "collection/update": Endpoint("POST", _update("owned", _OWN_FIELDS), "wishlist"),
    "collection/delete_lot": Endpoint("POST", _delete("owned"), "wishlist"),
}

"""Brick Owl's API: which of everybody's numbers mean the same item.

https://www.brickowl.com/api_docs, checked on 2026-04-02; channels-brickowl.md, sections 1, 2 and 5. `catalog/lookup`
answers only keys that Brick Owl's staff has approved for the catalog.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from catalog.choices import ItemType, System
from catalog.sources.base import ELEMENT, Can, FoundItem, FoundItems, Source, SourceSpec, registry
from common.wire.batches import answers_of

_TYPES: Mapping[str, ItemType] = {
    "Part": ItemType.PART,
    "Sticker": ItemType.PART,
    "Minibuild": ItemType.PART,
    "Set": ItemType.SET,
    "Minifigure": ItemType.MINIFIG,
    "Gear": ItemType.GEAR,
    "Instructions": ItemType.INSTRUCTION,
    "Packaging": ItemType.BOX,
}
_SYSTEM_OF = {"design_id": System.LEGO_DESIGN, "bl_item_no": System.BRICKLINK, "ldraw": System.LDRAW}
# What a number of each system is called, and of what it can be.
_ID_TYPES: Mapping[str, str] = {ELEMENT: "item_no", System.LDRAW: "ldraw", System.LEGO_DESIGN: "design_id"}
# Numbers of sets are BrickLink's too, and of all that belongs to a set.
_SET_NUMBER = "set_number"
# As what an item of BrickLink's is searched for there, and by which kind of number: a set's is that of its box too.
_SEARCHED: Mapping[str, tuple[str, str]] = {
    ItemType.PART: ("Part", "bl_item_no"),
    ItemType.SET: ("Set", _SET_NUMBER),
    ItemType.MINIFIG: ("Minifigure", "bl_item_no"),
    ItemType.GEAR: ("Gear", "bl_item_no"),
    ItemType.BOOK: ("Gear", "bl_item_no"),
    ItemType.CATALOG: ("Gear", "bl_item_no"),
    ItemType.INSTRUCTION: ("Instructions", _SET_NUMBER),
    ItemType.BOX: ("Packaging", _SET_NUMBER),
}
_STICKER = "stk"
# So many requests go into one batch.
_BATCH = 50
# 100 of them a minute.
_BATCHES_PER_SECOND = 1.5
_SET = re.compile(r"\d{3,}-\d{1,3}")
_FIGURE = re.compile(r"[a-z]{2,4}\d{2,}[a-z]?", re.IGNORECASE)
_BOID = re.compile(r"(\d+)(?:-(\d+))?")
# Of several items with the number; each costs a call.
_AT_MOST = 3
_NO_KEY = re.compile(r"\bkey\b|permission|access|approv", re.IGNORECASE)


@registry.register
class BrickOwl(Source):
    """The other bridge between numbers, and the only one for figures."""

    spec = SourceSpec(
        code="brickowl",
        label="Brick Owl",
        docs="https://www.brickowl.com/api_docs",
        can=frozenset({Can.LOOK_UP, Can.NUMBERS_OF, Can.ITEMS_OF}),
        systems=frozenset({System.BRICKLINK, System.BRICKOWL, *_ID_TYPES}),
        # 600 a minute.
        per_second=5.0,
        burst=10,
        per_day=20_000,
        numbers_at_once=_BATCH,
        credentials=("key",),
    )

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        budget = self._wire.budget
        slow = replace(budget, key=f"{budget.key}:batch", per_second=_BATCHES_PER_SECOND, burst=2)
        self._slow_wire = replace(self._wire, budget=slow)

    @staticmethod
    def params(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer the key, which has no other place than the query."""
        return {"key": credentials["key"]}

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer what an answer with an `error` means, whatever HTTP's status says."""
        return enveloped(status, data)

    def look_up(self, system: str, number: str) -> FoundItems:
        """Answer what a number of anybody's means, except Rebrickable's."""
        if system == System.BRICKOWL:
            found = _BOID.fullmatch(number)
            item = self._item(number) if found else None
            return FoundItems((item,), color_id=_color(number)) if item else FoundItems()
        for item_type, id_type in searches(system, number):
            boids = self._ask("look_up", boids_result, boids_request(number, item_type, id_type))
            if boids:
                return self._items(boids, {System.BRICKLINK.value: number} if system == System.BRICKLINK else {})
        return FoundItems()

    def numbers_of(self, items: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Ask for the BOIDs of up to fifty items at once, which any key may, also one without the catalog."""
        asked = [item for item in items if item[0] in _SEARCHED]
        if not asked:
            return dict.fromkeys(items, ())
        form = {**self._wire.params, **batch_form(asked)}
        answer = self._slow_wire.call("numbers_of", method="POST", path="bulk/batch", form=form, is_repeatable=True)
        answers = self._read("numbers_of", lambda data: answers_of(data, len(asked)), answer)
        told = {item: bare_boids(answer) for item, answer in zip(asked, answers, strict=True)}
        answered = {item: boids for item, boids in told.items() if boids is not None}
        return answered | dict.fromkeys([item for item in items if item not in told], ())

    def items_of(self, numbers: Sequence[str]) -> Mapping[str, FoundItem]:
        """Ask for the items of up to fifty BOIDs at once, which only a key that may read the catalog may."""
        request = {"path": "catalog/bulk_lookup", "params": {"boids": ",".join(numbers)}, "may_be_missing": True}
        return self._ask("items_of", items_result, request)

    def _items(self, boids: tuple[str, ...], asked: Mapping[str, str]) -> FoundItems:
        """Answer the items of these BOIDs; that they have the number that was asked for is said by that."""
        bare = dict.fromkeys(boid.partition("-")[0] for boid in boids)
        items = [item for boid in list(bare)[:_AT_MOST] if (item := self._item(boid, asked)) is not None]
        return FoundItems(tuple(items), color_id=_color(boids[0]) if len(boids) == 1 else None)

    def _item(self, boid: str, asked: Mapping[str, str] | None = None) -> FoundItem | None:
        return self._ask("look_up", lambda data: item_result(data, asked or {}), item_request(boid))


def searches(system: str, number: str) -> tuple[tuple[str, str], ...]:
    """Answer of which types, and as whose, a number is searched for, the likeliest first."""
    if system in _ID_TYPES:
        return (("Part", _ID_TYPES[system]),)
    if _SET.fullmatch(number):
        return (("Set", _SET_NUMBER),)
    if _FIGURE.fullmatch(number):
        return (("Minifigure", "bl_item_no"), ("Part", "bl_item_no"))
    return (("Sticker" if _STICKER in number else "Part", "bl_item_no"), ("Gear", "bl_item_no"))


def enveloped(status: int, data: Any) -> tuple[int, Any]:
    """Read an answer: one with an `error` is none, and that it can't find something is no fault."""
    if not isinstance(data, dict) or "error" not in data:
        return status, data
    error = data["error"]
    text = str(error.get("status") or error.get("message")) if isinstance(error, dict) else str(error)
    if status in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN) and _NO_KEY.search(text):
        return HTTPStatus.FORBIDDEN, None
    return (HTTPStatus.NOT_FOUND, None) if status in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST) else (status, None)


def boids_request(number: str, item_type: str, id_type: str) -> dict[str, Any]:
    """Ask for the BOIDs of a number."""
    params = {"id": number, "type": item_type, "id_type": id_type}
    return {"path": "catalog/id_lookup", "params": params, "may_be_missing": True}


def boids_result(data: Any) -> tuple[str, ...]:
    """Read BOIDs; nothing is an empty list instead of an object."""
    return tuple(str(boid) for boid in data["boids"]) if data else ()


def batch_form(items: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Ask for the BOIDs of many items by type and BrickLink's number."""
    requests = []
    for item_type, number in items:
        kind, id_type = _SEARCHED[item_type]
        if kind == "Part" and _STICKER in number:
            kind = "Sticker"
        params = [{"id": number, "type": kind, "id_type": id_type}]
        requests.append({"endpoint": "catalog/id_lookup", "request_method": "GET", "params": params})
    return {"requests": json.dumps({"requests": requests}, separators=(",", ":"))}


def bare_boids(answer: Any) -> tuple[str, ...] | None:
    """Read which items, whatever their color, were found; None where that can't be told from the answer."""
    if isinstance(answer, dict) and "error" in answer:
        status, _data = enveloped(HTTPStatus.OK, answer)
        return () if status == HTTPStatus.NOT_FOUND else None
    try:
        return tuple(dict.fromkeys(boid.partition("-")[0] for boid in boids_result(answer)))
    except (KeyError, TypeError):
        return None


def item_request(boid: str) -> dict[str, Any]:
    """Ask for an item."""
    return {"path": "catalog/lookup", "params": {"boid": boid}, "may_be_missing": True}


def item_result(data: Any, asked: Mapping[str, str]) -> FoundItem | None:
    """Read an item; one of a type that we don't know is left out."""
    if not data or (item_type := _TYPES.get(str(data["type"]))) is None:
        return None
    boid = str(data["boid"]).partition("-")[0]
    ids: dict[str, list[str]] = {System.BRICKOWL.value: [boid]}
    for system, number in (*asked.items(), *(_own(item_type, row) for row in data["ids"])):
        if system and number not in ids.setdefault(system, []):
            ids[system].append(number)
    return FoundItem(
        item_type=item_type,
        number=boid,
        name=str(data["name"]).removeprefix("LEGO "),
        image_url=_image(data.get("images") or ()),
        ids={system: tuple(numbers) for system, numbers in ids.items()},
    )


def items_result(data: Any) -> dict[str, FoundItem]:
    """Read many items, by their BOIDs without a color; nothing is an empty list instead of an object."""
    found = (item_result(row, {}) for row in (data["items"].values() if data and data["items"] != [] else ()))
    return {item.number: item for item in found if item is not None}


def _own(item_type: ItemType, row: Any) -> tuple[str, str]:
    kind, number = str(row["type"]), str(row["id"])
    if kind == _SET_NUMBER:
        belongs = item_type in (ItemType.SET, ItemType.INSTRUCTION, ItemType.BOX)
        return (System.BRICKLINK.value if belongs else "", number)
    return str(_SYSTEM_OF[kind].value) if kind in _SYSTEM_OF else "", number


def _image(images: Any) -> str:
    url = str(images[0].get("large") or images[0].get("medium") or images[0].get("small") or "") if images else ""
    return f"https:{url}" if url.startswith("//") else url


def _color(boid: str) -> int | None:
    _bare, _dash, color = boid.rpartition("-")
    return int(color) if _dash and color.isdecimal() else None

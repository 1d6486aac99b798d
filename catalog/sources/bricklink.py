"""BrickLink's store API: items, their colors and element ids, the price guide.

https://www.bricklink.com/v3/api.page, checked on 2026-04-02; channels-bricklink.md, sections 1 to 8. It is asked with
an account of the installation's own: what shops have there is the channel's business.
"""

import html
import re
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from catalog.choices import ItemType, System
from catalog.sources.base import (
    ELEMENT,
    Can,
    FoundItem,
    FoundItems,
    ItemColor,
    PriceFigures,
    PriceQuestion,
    Source,
    SourceSpec,
    registry,
)
from common.wire.oauth import Sign, signer

# What we call otherwise; a custom item is nobody's but its shop's.
_WORDS: Mapping[ItemType, str] = {
    **{kind: str(kind.value) for kind in ItemType if kind != ItemType.CUSTOM},
    ItemType.BOX: "ORIGINAL_BOX",
}
_TYPES = {word: kind for kind, word in _WORDS.items()}
_SET = re.compile(r"\d{3,}-\d{1,3}")
_FIGURE = re.compile(r"[a-z]{2,4}\d{2,}[a-z]?", re.IGNORECASE)
# Asked one after the other, each for a call; instructions and boxes have their set's number.
_TYPES_OF_SET = (ItemType.SET, ItemType.GEAR, ItemType.BOOK)
_TYPES_OF_FIGURE = (ItemType.MINIFIG, ItemType.PART, ItemType.GEAR)
_TYPES_OF_OTHERS = (ItemType.PART, ItemType.GEAR, ItemType.BOOK, ItemType.CATALOG)
# In descriptions that hold nothing of what was asked; how it says that the day's calls are used up isn't documented.
_QUOTA = re.compile(r"limit|quota|blocked consumer_key", re.IGNORECASE)
_QUOTA_CODES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_QUOTA_PAUSE_S = 3600.0
_NOT_APPLICABLE = 0
_COUNTRY_LETTERS = 2
_CONDITIONS = {"NEW": "N", "USED": "U"}


@registry.register
class BrickLink(Source):
    """Whose numbers are everybody's: items, colors, and what things go for."""

    spec = SourceSpec(
        code="bricklink",
        label="BrickLink",
        docs="https://www.bricklink.com/v3/api.page",
        can=frozenset({Can.LOOK_UP, Can.COLORS_OF, Can.PRICE_GUIDE}),
        systems=frozenset({ELEMENT, System.BRICKLINK}),
        per_second=4.0,
        burst=8,
        # 5,000 in any 24 hours; those who go beyond are blocked.
        per_day=4_500,
        credentials=("consumer_key", "consumer_secret", "token", "token_secret"),
    )

    @staticmethod
    def signer(credentials: Mapping[str, str]) -> Sign:
        """Answer what signs each attempt anew: a nonce that was seen is refused."""
        return signer(**credentials)

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer `meta.code` and `data`: HTTP's status is 200 whatever happened."""
        return envelope(status, data)

    @staticmethod
    def retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Answer an hour where the day's calls are used up, unless a gateway's header knows better."""
        said = Source.retry_after(status, headers, body)
        return _QUOTA_PAUSE_S if said is None and status == HTTPStatus.TOO_MANY_REQUESTS else said

    def look_up(self, system: str, number: str) -> FoundItems:
        """Answer what an element id or a number of BrickLink's means."""
        if system == ELEMENT:
            return self._element(number)
        for item_type in types_of(number):
            if item := self._ask("look_up", item_result, item_request(item_type, number)):
                return FoundItems((item,))
        return FoundItems()

    def _element(self, number: str) -> FoundItems:
        rows = self._ask("look_up", element_result, element_request(number))
        items = [self._ask("look_up", item_result, item_request(kind, no)) for kind, no in dict.fromkeys(
            (kind, no) for kind, no, _color_id in rows
        )]  # fmt: skip
        found = tuple(item for item in items if item is not None)
        return FoundItems(found, color_id=rows[0][2] if found else None)

    def colors_of(self, number: str) -> tuple[ItemColor, ...]:
        """Answer the colors that are known of a part, with its element ids."""
        color_ids = self._ask("colors_of", colors_result, colors_request(number))
        elements = self._ask("colors_of", elements_result, elements_request(number)) if color_ids else {}
        return tuple(
            ItemColor(color_id=each, element_ids=elements.get(each, ()), sets_count=0, image_url="")
            for each in dict.fromkeys((*color_ids, *elements))
        )

    def price_guide(self, question: PriceQuestion) -> PriceFigures | None:
        """Answer what an item went for in six months, or is offered for now."""
        if question.item_type not in _WORDS:
            return None
        return self._ask("price_guide", price_result, price_request(question))


def types_of(number: str) -> tuple[ItemType, ...]:
    """Answer what a number may be by its looks, the likeliest first."""
    if _SET.fullmatch(number):
        return _TYPES_OF_SET
    return _TYPES_OF_FIGURE if _FIGURE.fullmatch(number) else _TYPES_OF_OTHERS


def envelope(status: int, data: Any) -> tuple[int, Any]:
    """Read the envelope of an answer: the status that is meant, and the data, None where there is none.

    A number that isn't known is 404, or 400 of a parameter; of what we ask nothing else can be wrong with those.
    """
    if data is None and status == HTTPStatus.NO_CONTENT:
        return status, None
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict):
        raise ValueError("an answer without meta")
    code = int(str(meta.get("code")))
    if not HTTPStatus.OK <= code <= 599:  # noqa: PLR2004  # the last there can be
        raise ValueError(f"{code} is no status")
    if code < HTTPStatus.BAD_REQUEST <= status:
        # A gateway's word, whatever it has wrapped.
        return status, None
    if code in _QUOTA_CODES and _QUOTA.search(str(meta.get("description"))):
        return HTTPStatus.TOO_MANY_REQUESTS, None
    if code == HTTPStatus.BAD_REQUEST and meta.get("message") == "PARAMETER_MISSING_OR_INVALID":
        return HTTPStatus.NOT_FOUND, None
    return code, data.get("data")


def item_request(item_type: ItemType, number: str) -> dict[str, Any]:
    """Ask for an item."""
    return {"path": f"items/{_WORDS[item_type]}/{_safe(number)}", "may_be_missing": True}


def item_result(data: Any) -> FoundItem | None:
    """Read an item; one without a number is none."""
    if not data:
        return None
    number = str(data["no"])
    return FoundItem(
        item_type=_TYPES[str(data["type"]).upper()],
        number=number,
        name=html.unescape(str(data["name"])),
        image_url=_address(str(data.get("image_url") or "")),
        ids={System.BRICKLINK.value: (number,)},
        year_from=int(data.get("year_released") or 0) or None,
        alternate_nos=tuple(each.strip() for each in str(data.get("alternate_no") or "").split(",") if each.strip()),
        weight_grams=Decimal(data.get("weight") or 0) or None,
        dimensions=_dimensions([Decimal(data.get(f"dim_{axis}") or 0) for axis in "xyz"]),
        category_no=int(data.get("category_id") or 0) or None,
    )


def element_request(number: str) -> dict[str, Any]:
    """Ask which item in which color an element is."""
    return {"path": f"item_mapping/{_safe(number)}", "may_be_missing": True}


def element_result(data: Any) -> tuple[tuple[ItemType, str, int | None], ...]:
    """Read type, number and color of an element."""
    return tuple(
        (_TYPES[str(row["item"]["type"]).upper()], str(row["item"]["no"]), int(row["color_id"]) or None)
        for row in data or ()
    )


def colors_request(number: str) -> dict[str, Any]:
    """Ask for the colors of a part."""
    return {"path": f"items/PART/{_safe(number)}/colors", "may_be_missing": True}


def colors_result(data: Any) -> tuple[int, ...]:
    """Read the colors of a part; that it has none is no color."""
    return tuple(color_id for row in data or () if (color_id := int(row["color_id"])) != _NOT_APPLICABLE)


def elements_request(number: str) -> dict[str, Any]:
    """Ask for the element ids of a part."""
    return {"path": f"item_mapping/PART/{_safe(number)}", "may_be_missing": True}


def elements_result(data: Any) -> dict[int, tuple[str, ...]]:
    """Read the element ids of a part, by color."""
    elements: dict[int, tuple[str, ...]] = {}
    for row in data or ():
        if (color_id := int(row["color_id"])) != _NOT_APPLICABLE:
            elements[color_id] = (*elements.get(color_id, ()), str(row["element_id"]))
    return elements


def price_request(question: PriceQuestion) -> dict[str, Any]:
    """Ask for the price guide; without a region it is the world's."""
    params: dict[str, Any] = {
        "guide_type": question.kind,
        "new_or_used": _CONDITIONS[question.condition],
        "currency_code": question.currency,
    }
    if question.color_id is not None:
        params["color_id"] = question.color_id
    if question.region:
        is_country = len(question.region) == _COUNTRY_LETTERS and question.region != "eu"
        params["country_code" if is_country else "region"] = (
            _country(question.region) if is_country else question.region
        )
    path = f"items/{_WORDS[question.item_type]}/{_safe(question.item_no)}/price"
    return {"path": path, "params": params, "may_be_missing": True}


def price_result(data: Any) -> PriceFigures | None:
    """Read the figures; where nothing was sold or is offered the amounts are zero, and mean nothing."""
    if not data:
        return None
    lots_count, qty = int(data["unit_quantity"]), int(data["total_quantity"])
    amounts = {name: Decimal(data[name]) for name in ("min_price", "avg_price", "qty_avg_price", "max_price")}
    if not all(amount.is_finite() and amount >= 0 for amount in amounts.values()) or min(lots_count, qty) < 0:
        raise ValueError("figures below nothing")
    known = {name: amount if lots_count else None for name, amount in amounts.items()}
    return PriceFigures(
        currency=str(data["currency_code"]),
        price_min=known["min_price"],
        price_avg=known["avg_price"],
        price_qty_avg=known["qty_avg_price"],
        price_max=known["max_price"],
        lots_count=lots_count,
        qty=qty,
    )


def _country(code: str) -> str:
    """Answer a country as BrickLink writes it."""
    return "UK" if code.upper() == "GB" else code.upper()


def _address(url: str) -> str:
    return f"https:{url}" if url.startswith("//") else url


def _dimensions(sizes: list[Decimal]) -> str:
    """Answer the sizes as dumps write them, `2 x 4 x 1`; empty where they aren't known."""
    return " x ".join(f"{size.normalize():f}" for size in sizes) if all(sizes) else ""


def _safe(number: str) -> str:
    """Answer a number as one segment of a path."""
    return quote(number, safe="")

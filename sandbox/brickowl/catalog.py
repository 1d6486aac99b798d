"""The catalog's calls: what a number means, what is known of an item, who offers it."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from sandbox.brickowl.boids import (
    PLACEHOLDERS,
    TYPES,
    Boid,
    color_of,
    colored,
    ids_of,
    index,
    name_of,
    owl_colors,
    path_of,
    slug,
    type_of,
)
from sandbox.brickowl.boids import parsed as read_boid
from sandbox.brickowl.call import Call, Endpoint, OwlError, Rows, dumped, fixed
from sandbox.dice import Dice
from sandbox.items import COLORED, items
from sandbox.prices import converted, deals, key_of, usual

_SITE = "https://www.brickowl.com"
_MOST_BOIDS = 100
_PAGE, _LAST_PAGE = 20, 50
_ID_TYPES = ("boid", "design_id", "item_no", "bl_item_no", "ldraw", "peeron_id", "set_number", "upc", "ean", "other")
CONDITIONS: Mapping[str, str] = {
    "new": "New", "news": "New (Sealed)", "newc": "New (Complete)", "newi": "New (Incomplete)",
    "usedc": "Used (Complete)", "usedi": "Used (Incomplete)", "usedn": "Used (Like New)", "usedg": "Used (Good)",
    "useda": "Used (Acceptable)", "other": "Other",
}  # fmt: skip


def boid_of(call: Call, name: str = "boid") -> Boid:
    """Answer the item that an argument names."""
    text = call.needed(name)
    found = read_boid(text)
    if found is None:
        raise OwlError(f"Invalid BOID - {text}")
    return found


def _type(call: Call, *, is_needed: bool = False) -> str:
    text = call.needed("type") if is_needed else call.word("type")
    kind = next((each for each in TYPES if each.lower() == text.lower()), "")
    if text and not kind:
        raise OwlError("Invalid type")
    return kind


def _id_lookup(call: Call) -> Any:
    number, kind, id_type = call.needed("id"), _type(call, is_needed=True), call.word("id_type")
    if id_type and id_type not in _ID_TYPES:
        raise OwlError("Invalid id_type")
    found = [
        boid
        for each in ([id_type] if id_type else _ID_TYPES)
        for boid in index().get(f"{each}:{number}".lower(), ())
        if type_of(boid.item) == kind
    ]
    return {"boids": list(dict.fromkeys(boid.text for boid in found))}


def _lookup(call: Call) -> Any:
    return _described(boid_of(call))


def _described(boid: Boid) -> dict[str, Any]:
    item, color = boid.item, boid.color
    image = f"//img.brickowl.com/files/image_cache/{{}}/{slug(name_of(boid))}.png"
    cents = converted(usual(key_of(item), color.id if color else item.colors[0], "N"), "GBP")
    return {
        "boid": boid.text,
        "name": name_of(boid),
        "type": type_of(item),
        "url": f"{_SITE}/catalog/{slug(name_of(boid))}",
        "permalink": f"{_SITE}/boid/{boid.text}",
        "ids": ids_of(boid),
        "images": [{size: image.format(size) for size in ("small", "medium", "large")}],
        "color_name": color.owl_name if color else "",
        "color_id": str(boid.owl_color) if boid.owl_color is not None else "0",
        "color_hex": color.owl_rgb if color else "000000",
        "cat_name_path": path_of(boid),
        "cheapest_gbp": fixed(cents, 3),
        "missing_data": "" if item.weight else "weight",
    }


def _bulk_lookup(call: Call) -> Any:
    numbers = [text for text in call.needed("boids").split(",") if text.strip()]
    if len(numbers) > _MOST_BOIDS:
        raise OwlError(f"Maximum of {_MOST_BOIDS} BOIDs")
    found = {text.strip(): read_boid(text) for text in numbers}
    return {"items": {text: _described(boid) for text, boid in found.items() if boid} or []}


def _listed(boid: Boid) -> dict[str, Any]:
    return {
        "boid": boid.text, "type": type_of(boid.item), "name": name_of(boid), "permalink": f"{_SITE}/boid/{boid.text}",
    }  # fmt: skip


@cache
def _everything() -> tuple[Boid, ...]:
    """Answer every number there is: of what comes in colors the bare one as well."""
    found: list[Boid] = []
    for item in items().by_no.values():
        if type_of(item):
            found += [Boid(item, None), *(boid for boid in colored(item) if boid.owl_color is not None)]
    return tuple(found)


def _list(call: Call) -> Any:
    kind = _type(call)
    call.word("brand")
    return Rows(dumped(_listed(boid)) for boid in _everything() if kind in ("", type_of(boid.item)))


def _search(call: Call) -> Any:
    words, page = call.needed("query").lower().split(), call.whole("page", 1)
    if not 1 <= page <= _LAST_PAGE:
        raise OwlError("Invalid page")
    found: Iterable[Boid] = (boid for boid in _everything() if boid.owl_color is None)
    if words != ["all"]:
        found = (boid for boid in found if all(word in f"{name_of(boid)} {boid.item.no}".lower() for word in words))
    rows = list(found)
    return {
        "results": [_listed(boid) for boid in rows[(page - 1) * _PAGE : page * _PAGE]],
        "total_available": str(len(rows)),
    }


def _availability(call: Call) -> Any:
    """Answer who offers an item: shops that are made up, and the sandbox's own sellers."""
    boid, country = boid_of(call), call.needed("country").upper()
    if len(country) != 2:  # noqa: PLR2004  # letters of a country
        raise OwlError("Invalid country")
    least, where = call.whole("quantity", 1), call.word("store_country").upper()
    color = boid.color
    bricklink = color.id if color else boid.item.colors[0]
    rows: dict[str, Any] = {}
    for condition, code in (("N", "new"), ("U", "usedg")):
        found = deals(boid.item, bricklink, condition, is_sold=False, currency="GBP", day_ms=call.now_ms)
        for place, deal in enumerate(found):
            dice = Dice(boid.text, condition, place)
            store = 1_000 + dice.below(5_000)
            lot_id = 10_000_000 + dice.below(9_000_000)
            if deal.quantity >= least and where in ("", deal.seller_country):
                rows[str(lot_id)] = _offer(
                    boid, lot_id=lot_id, code=code, price=deal.price, quantity=deal.quantity, at_ms=deal.at_ms,
                    store_id=store, store=f"Store {store}", currency="GBP", country=deal.seller_country,
                )  # fmt: skip
    with call.world.state.reading() as reader:
        query = (
            "SELECT lots.*, sellers.id AS store_id, store, currency, country FROM lots "
            "JOIN sellers ON sellers.id = seller_id "
            "WHERE service = 'brickowl' AND type = ? AND no = ? AND color_id = ? "
            "AND deleted_at IS NULL AND is_for_sale = 1 AND quantity >= ? ORDER BY lots.id"
        )
        wanted = (boid.item.type, boid.item.no, bricklink if boid.owl_color else 0, max(1, least))
        for row in reader.execute(query, wanted):
            if where in ("", row["country"]):
                rows[str(row["id"])] = _offer(
                    boid, lot_id=row["id"], code=row["grade"] or "new", price=row["price"], quantity=row["quantity"],
                    at_ms=row["updated_at"], store_id=row["store_id"], store=row["store"], currency=row["currency"],
                    country=row["country"],
                )  # fmt: skip
    return rows or []


def _offer(
    boid: Boid, *, lot_id: int, code: str, price: int, quantity: int, at_ms: int, store_id: int, store: str,
    currency: str, country: str,
) -> dict[str, Any]:  # fmt: skip
    site = f"https://{slug(store)}.brickowl.com"
    return {
        "con": code, "lot_id": str(lot_id), "price": fixed(price, 3), "qty": str(quantity), "bulk_qty": "1",
        "url": f"{site}/store/{slug(name_of(boid))}", "updated": str(at_ms // 1000), "created": str(at_ms // 1000),
        "type": type_of(boid.item), "set_number": boid.item.no if boid.item.type == "SET" else "", "boid": boid.text,
        "store_id": str(store_id), "store_name": store, "base_currency": currency, "country": country,
        "store_url": site, "feedback_count": "0", "minimum_order": "0.00", "minimum_lot_average": "0.00", "open": True,
        "square_logo_16": None, "square_logo_24": None,
    }  # fmt: skip


def _inventory(call: Call) -> Any:
    boid = boid_of(call)
    lines = items().contents.get((boid.item.type, boid.item.no))
    if not lines:
        raise OwlError("No inventory for this item")
    rows = []
    for place, line in enumerate(lines):
        owl = items().colors[line.color_id].owl_id if line.item.type in COLORED and line.color_id else None
        if type_of(line.item) and (owl is None or owl in owl_colors(line.item)):
            rows.append(
                {
                    "boid": Boid(line.item, owl).text,
                    "quantity": str(line.quantity),
                    "extra_quantity": str(line.extra),
                    "sequence_id": str(place + 1),
                    "alt_link": str(line.match_no) if line.match_no else None,
                }
            )
    return {"inventory": rows}


@cache
def _colors() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for owl, colors in sorted(items().owl_colors.items()):
        color = color_of(owl)
        assert color is not None  # noqa: S101  # of its own list
        found[str(owl)] = {
            "id": str(owl), "name": color.owl_name, "hex": color.owl_rgb, "peeron_names": [None],
            "ldraw_ids": [str(number) for number in color.ldraw_ids] or [None],
            "bl_ids": [str(each.id) for each in colors],
            "bl_names": [each.name for each in colors],
            "lego_colors": [{"lego_id": str(number), "raw_name": color.owl_name} for number in color.lego_ids],
        }  # fmt: skip
    for owl, name, number in PLACEHOLDERS:
        found.setdefault(
            str(owl),
            {
                "id": str(owl), "name": name, "hex": "808080", "peeron_names": [None], "ldraw_ids": [None],
                "bl_ids": [str(number)], "bl_names": [None], "lego_colors": [],
            },
        )  # fmt: skip
    return found


def _color_list(_call: Call) -> Any:
    return _colors()


def _condition_list(_call: Call) -> Any:
    return dict(CONDITIONS)


def _field_options(call: Call) -> Any:
    call.word("language")
    options: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "condition": lambda: CONDITIONS,
        "color": lambda: {number: row["name"] for number, row in _colors().items()},
        "type": lambda: {kind: kind for kind in TYPES},
    }
    kind = call.needed("type")
    if kind not in options:
        raise OwlError("Invalid type")
    return dict(options[kind]())


def _bulk(call: Call) -> Any:
    kind = _type(call, is_needed=True)
    return Rows(dumped(_described(boid)) for boid in _everything() if type_of(boid.item) == kind)


def _cart_basic(call: Call) -> Any:
    try:
        wanted = json.loads(call.needed("items"))["items"]
        lines = [(str(row["design_id"]), int(row["color_id"]), int(row["qty"])) for row in wanted]
    except (ValueError, KeyError, TypeError):
        raise OwlError("Invalid items") from None
    condition = "N" if call.word("condition", "new").startswith("new") else "U"
    total = 0
    for design, lego, quantity in lines:
        color = next((each for each in items().colors.values() if lego in each.lego_ids), None)
        item = next((boid.item for boid in index().get(f"design_id:{design}", ())), None)
        if color and item and quantity > 0:
            total += quantity * converted(usual(key_of(item), color.id, condition), call.seller.currency)
    cart = Dice(call.seller.id, call.word("items")).below(9_000_000)
    return {"cart_id": str(cart), "total": fixed(total, 2)}


ENDPOINTS: Mapping[str, Endpoint] = {
    "catalog/id_lookup": Endpoint("GET", _id_lookup),
    "catalog/lookup": Endpoint("GET", _lookup, needs_approval=True),
    "catalog/bulk_lookup": Endpoint("GET", _bulk_lookup, needs_approval=True),
    "catalog/list": Endpoint("GET", _list, needs_approval=True),
    "catalog/search": Endpoint("GET", _search),
    "catalog/availability": Endpoint("GET", _availability, needs_approval=True),
    "catalog/inventory": Endpoint("GET", _inventory, needs_approval=True),
    "catalog/color_list": Endpoint("GET", _color_list),
    "catalog/condition_list": Endpoint("GET", _condition_list),
    "catalog/field_option_list": Endpoint("GET", _field_options),
    "catalog/bulk": Endpoint("GET", _bulk, needs_approval=True),
    "catalog/cart_basic": Endpoint("POST", _cart_basic, needs_approval=True),
}

"""Stock from files: BrickLink's upload in XML, and BrickStore's BSX. Whoever steers the sandbox is trusted."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.items import items

_TYPES = {
    "P": "PART", "S": "SET", "M": "MINIFIG", "G": "GEAR", "B": "BOOK", "C": "CATALOG", "I": "INSTRUCTION",
    "O": "ORIGINAL_BOX",
}  # fmt: skip
_COMPLETE = {"C": "C", "I": "B", "B": "B", "S": "S", "M": "S"}


def read_xml(text: str) -> Iterator[dict[str, Any]]:
    """Answer the lots of BrickLink's XML (`INVENTORY/ITEM`)."""
    for row in ET.fromstring(text).iter("ITEM"):  # noqa: S314  # see above
        yield _lot({child.tag: (child.text or "").strip() for child in row})


def read_bsx(text: str) -> Iterator[dict[str, Any]]:
    """Answer the lots of a BSX file (`Inventory/Item`)."""
    names = {
        "ItemTypeID": "ITEMTYPE", "ItemID": "ITEMID", "ColorID": "COLOR", "Qty": "QTY", "Price": "PRICE",
        "Condition": "CONDITION", "SubCondition": "SUBCONDITION", "Comments": "DESCRIPTION", "Remarks": "REMARKS",
        "Bulk": "BULK", "Sale": "SALE", "Retain": "RETAIN", "Cost": "MYCOST",
    }  # fmt: skip
    for row in ET.fromstring(text).iter("Item"):  # noqa: S314  # see above
        found = {names.get(child.tag, child.tag): (child.text or "").strip() for child in row}
        yield _lot({**found, "RETAIN": "Y" if "RETAIN" in found and found["RETAIN"] != "N" else ""})


def _lot(row: dict[str, str]) -> dict[str, Any]:
    kind, number = _TYPES.get(row.get("ITEMTYPE", ""), ""), row.get("ITEMID", "")
    if (kind, number) not in items().by_no:
        raise ValueError(f"there is no {kind or row.get('ITEMTYPE')} {number}")

    def amount(name: str) -> int:
        return int(Decimal(row.get(name) or "0") * 10_000)

    values: dict[str, Any] = {
        "type": kind, "no": number, "color_id": int(row.get("COLOR") or 0), "quantity": int(row.get("QTY") or 0),
        "price": amount("PRICE"), "condition": row.get("CONDITION") or "N", "description": row.get("DESCRIPTION", ""),
        "remarks": row.get("REMARKS"), "bulk": int(row.get("BULK") or 1), "sale": int(row.get("SALE") or 0),
        "is_retained": int(row.get("RETAIN") == "Y"), "my_cost": amount("MYCOST"),
        "completeness": _COMPLETE.get(row.get("SUBCONDITION", ""), "C" if kind == "SET" else ""),
    }  # fmt: skip
    if row.get("STOCKROOM") == "Y":
        values["stockroom"] = row.get("STOCKROOMID") or "A"
    for place in "123":
        if int(row.get(f"TQ{place}") or 0):
            values |= {f"tier_quantity{place}": int(row[f"TQ{place}"]), f"tier_price{place}": amount(f"TP{place}")}
    return values

"""The columns of a file of orders: their names, which there must be, and the file that shows them."""

import csv
import io
from collections.abc import Mapping, Sequence

from inventory.parsing.columns import guarded, normal_name
from inventory.parsing.problems import UnreadableFile

# By field: our name, as the export of lines writes it where it has that column, and others by which it is known.
_HEAD: Mapping[str, tuple[str, str]] = {
    "number": ("Order", "order number|order no|order id|external order id|bestellung|bestellnummer"),
    "placed": ("Placed", "ordered at|order date|date|datum|bestelldatum"),
    "status": ("Status", "order status"),
    "buyer_name": ("Buyer", "buyer name|customer|customer name|käufer|kunde"),
    "buyer_email": ("E-mail", "buyer email|mail"),
    "buyer_username": ("User name", "buyer username"),
    "ship_to.name": ("Name on the parcel", "ship to name|recipient|empfänger"),
    "ship_to.address1": ("Street", "address|address 1|ship to address|straße|strasse"),
    "ship_to.address2": ("Second line", "address 2|adresszusatz"),
    "ship_to.postal": ("Postcode", "postal code|postal|zip|zip code|plz"),
    "ship_to.city": ("City", "town|ort|stadt"),
    "ship_to.state": ("State or region", "state|region|province"),
    "ship_to.country": ("Country", "country code|land"),
    "ship_to.phone": ("Telephone", "phone|telefon"),
    "currency": ("Currency", "currency code|währung"),
    "shipping_cost": ("Shipping", "shipping cost|postage|versand|versandkosten"),
    "insurance": ("Insurance", "versicherung"),
    "tax_amount": ("Tax", "tax amount|vat|steuer"),
    "discount_amount": ("Discount", "discount amount|rabatt"),
    "grand_total": ("Order total", "grand total"),
    "payment_status": ("Payment", "payment status|zahlung"),
    "paid_at": ("Paid", "paid at|payment date"),
    "shipped_at": ("Shipped at", "ship date|shipping date"),
    "shipping_method": ("Shipping method", "versandart"),
    "tracking_number": ("Tracking number", "tracking|tracking no"),
    "buyer_note": ("Buyer's note", "buyer note|order note"),
    "channel": ("Channel", ""),
    "store": ("Store", ""),
}
_LINE: Mapping[str, tuple[str, str]] = {
    "item_type": ("Type", "item type"),
    "item_no": ("Item number", "item no|item id|item|part number|part no|teilenummer|artikelnummer"),
    "item_name": ("Item name", ""),
    "color_id": ("Color number", "color id|colour id|colour number|farbnummer"),
    "color_name": ("Color", "color name|colour|colour name|farbe"),
    "condition": ("Condition", "zustand"),
    "completeness": ("Completeness", ""),
    "qty": ("Pieces", "qty|quantity|menge|anzahl"),
    "unit_price": ("Price", "unit price|each|preis|einzelpreis"),
    "description": ("Description", "beschreibung"),
    "remarks": ("Remarks", "remark|lot remarks|bemerkung"),
    "lot": ("Lot", "brikonnect lot|our lot"),
}
REQUIRED = ("number", "placed", "item_no", "condition", "qty", "unit_price")
# What the export of lines says besides, which follows from the rest or is the shop's own.
_SILENT = frozenset(
    ("ournumber", "line", "short", "shipped", "putback", "total", "shipby", "lots", "goods", "refunded")
)


def _by_name(columns: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    return {
        normal_name(name): field
        for field, (title, others) in columns.items()
        for name in (title, *filter(None, others.split("|")))
    }


_HEAD_NAMES, _LINE_NAMES = _by_name(_HEAD), _by_name(_LINE)
NAMES = frozenset((*_HEAD_NAMES, *_LINE_NAMES, *_SILENT))
TITLES = {field: title for field, (title, _others) in {**_HEAD, **_LINE}.items()}

# One order of two lines, its second row with the order's number alone.
_EXAMPLE: Sequence[Mapping[str, str]] = (
    {
        "number": "EXAMPLE-1", "placed": "2026-03-11 14:30", "status": "New", "buyer_name": "Ana Example",
        "buyer_email": "ana@example.com", "ship_to.name": "Ana Example", "ship_to.address1": "Musterweg 4",
        "ship_to.postal": "10115", "ship_to.city": "Berlin", "ship_to.country": "DE", "currency": "EUR",
        "shipping_cost": "4.50", "payment_status": "Unpaid", "item_type": "Part", "item_no": "3001",
        "color_name": "Red", "condition": "New", "qty": "12", "unit_price": "0.12",
    },
    {
        "number": "EXAMPLE-1", "item_type": "Part", "item_no": "3023", "color_name": "Black", "condition": "Used",
        "qty": "4", "unit_price": "0.035",
    },
)  # fmt: skip
_NOT_IN_TEMPLATE = frozenset(("channel", "store"))


def places(columns: Sequence[str]) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Answer where in a row the fields of an order stand, where those of a line, and which columns nobody knows."""
    head: dict[str, int] = {}
    line: dict[str, int] = {}
    ignored = []
    for place, column in enumerate(columns):
        name = normal_name(column)
        field, found = (_HEAD_NAMES[name], head) if name in _HEAD_NAMES else (_LINE_NAMES.get(name, ""), line)
        if field and field not in found:
            found[field] = place
        elif name not in _SILENT:
            ignored.append(column)
    return head, line, ignored


def require(head: Mapping[str, int], line: Mapping[str, int]) -> None:
    """Pass, or raise UnreadableFile where columns are missing without which nothing is an order."""
    missing = [TITLES[field] for field in REQUIRED if field not in head and field not in line]
    if not missing:
        return
    if "number" in head and not line:
        raise UnreadableFile(
            "This file has orders without their lines, so nobody can say what was sold. Take one with a row for each"
            " line, such as Export › A row for each line."
        )
    if len(missing) == len(REQUIRED):
        raise UnreadableFile(
            "This is no file of orders: none of its columns is known here. Download the template to see which there"
            " are; their names stand in the first row."
        )
    raise UnreadableFile(
        f"The file has no column {_listed(missing)}. Add {'it' if len(missing) == 1 else 'them'}, named so, or download"
        " the template."
    )


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def template() -> bytes:
    """Answer a file with all columns and an example, to be filled."""
    fields = [field for field in (*_HEAD, *_LINE) if field not in _NOT_IN_TEMPLATE]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([TITLES[field] for field in fields])
    for row in _EXAMPLE:
        writer.writerow([guarded(row.get(field, "")) for field in fields])
    # Without its mark Excel takes the file for Windows' table.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def described() -> list[tuple[str, bool]]:
    """Answer our columns' names in the template's order, and whether each must be there."""
    fields = [field for field in (*_HEAD, *_LINE) if field not in _NOT_IN_TEMPLATE]
    return [(TITLES[field], field in REQUIRED) for field in fields]

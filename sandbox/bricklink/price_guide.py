"""The price guide: figures of half a year's sales, or of what is offered now."""

from collections.abc import Sequence
from typing import Any

from sandbox.bricklink.call import Call, Handler
from sandbox.bricklink.envelope import Answer, Refusal, money
from sandbox.clock import iso
from sandbox.items import COLORED
from sandbox.prices import RATES, REGIONS, Deal, deals


def _guide(call: Call) -> Answer:
    item, color = call.item(), call.whole("color_id")
    kind, condition = call.word("guide_type", "stock").lower(), call.word("new_or_used", "N").upper()
    vat, currency = call.word("vat", "N").upper(), call.word("currency_code", call.seller.currency).upper()
    for name, value, allowed in (
        ("guide_type", kind, ("stock", "sold")),
        ("new_or_used", condition, ("N", "U")),
        ("vat", vat, ("N", "Y", "O")),
        ("currency_code", currency, RATES),
    ):
        if value not in allowed:
            raise Refusal.parameter(f"{name}: {value}")
    if item.type not in COLORED or item.colors == (0,):
        color = 0
    elif color is None:
        # Without a color the guide is that of the color in which the item is sold most.
        color = item.colors[0]
    found = deals(
        item, color, condition, is_sold=kind == "sold", currency=currency, day_ms=call.now_ms, vat=vat
    )  # fmt: skip
    found = [deal for deal in found if _is_in(deal, call.word("country_code").upper(), call.word("region").lower())]
    detail = [_sold(deal) if kind == "sold" else _offered(deal) for deal in found]
    return Answer(
        {
            "item": {"no": item.no, "type": item.type},
            "new_or_used": condition,
            "currency_code": currency,
            **_figures(found),
            "price_detail": detail,
        }
    )


def _is_in(deal: Deal, country: str, region: str) -> bool:
    """Tell whether the seller is there; a region that nobody knows is the whole world."""
    if country:
        return deal.seller_country == country
    return region not in REGIONS or deal.seller_country in REGIONS[region]


def _figures(found: Sequence[Deal]) -> dict[str, Any]:
    total = sum(deal.quantity for deal in found)
    paid = sum(deal.quantity * deal.price for deal in found)
    prices = [deal.price for deal in found] or [0]
    return {
        "min_price": money(min(prices)),
        "max_price": money(max(prices)),
        # Rounded up, as all of BrickLink's money is.
        "avg_price": money(-(-sum(prices) // len(prices))),
        "qty_avg_price": money(-(-paid // total) if total else 0),
        "unit_quantity": len(found),
        "total_quantity": total,
    }


def _sold(deal: Deal) -> dict[str, Any]:
    return {
        "quantity": deal.quantity,
        "unit_price": money(deal.price),
        "seller_country_code": deal.seller_country,
        "buyer_country_code": deal.buyer_country,
        "date_ordered": iso(deal.at_ms),
    }


def _offered(deal: Deal) -> dict[str, Any]:
    return {
        "quantity": deal.quantity,
        # The name is misspelled there too, beside the right one.
        "qunatity": deal.quantity,
        "unit_price": money(deal.price),
        "shipping_available": deal.is_shipping_available,
    }


ROUTES: Sequence[tuple[str, str, Handler]] = (("GET", r"/items/(?P<type>[^/]+)/(?P<no>[^/]+)/price", _guide),)

"""Who the key belongs to."""

from collections.abc import Mapping
from typing import Any

from sandbox.brickowl.boids import slug
from sandbox.brickowl.call import Call, Endpoint


def _details(call: Call) -> Any:
    seller = call.seller
    return {
        "username": seller.name,
        "uid": str(seller.id + 9_000),
        "has_store": True,
        "store_details": {
            "store_id": str(seller.id),
            "name": seller.store,
            "slogan": "",
            "base_currency": seller.currency,
            "country": seller.country,
            "square_logo_24": None,
            "square_logo_16": None,
            "url": f"https://{slug(seller.store)}.brickowl.com",
            "last_inventory_update": str(call.now_ms // 1000),
            "feedback_count": "0",
            "minimum_order": "0.00",
            "minimum_lot_average": "0.00",
            "open": True,
        },
    }


def _addresses(call: Call) -> Any:
    return [
        {
            "address_id": str(call.seller.id),
            "first_name": call.seller.name,
            "last_name": "Seller",
            "street_1": "1 Example Street",
            "street_2": "",
            "city": "Town",
            "region": "",
            "post_code": "12345",
            "country_code": call.seller.country,
            "phone": "",
        }
    ]


ENDPOINTS: Mapping[str, Endpoint] = {
    "user/details": Endpoint("GET", _details),
    "token/details": Endpoint("GET", _details),
    "user/addresses": Endpoint("GET", _addresses, permission="user"),
}

"""The catalog over HTTP: searched by any platform's number or by words, item by item, and what is in a set."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from catalog.choices import CategoryKind, ItemType
from catalog.models import CatalogItem
from catalog.queries import items
from catalog.queries.items import Known, KnownColor
from catalog.search import MAX_TEXT
from common.access import SIGNED_IN
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import NotFound
from inventory.api.images import image_address
from inventory.queries import catalog as queries
from inventory.queries.catalog import Result
from inventory.queries.demand import ORDERS_SHOWN, open_orders_of
from inventory.queries.holdings import held, holdings_of
from inventory.queries.rows import LotRow
from inventory.serializers import PICTURE, InStock

_LIMIT, _MOST = 20, 50
_CACHED_S = 24 * 3600
_OPEN_ORDERS = f"That contain it, the {ORDERS_SHOWN} oldest; none without the permission orders:read."
_EXAMPLE = {
    "results": [
        {
            "item_type": "PART", "canonical_id": "3001", "name": "Brick 2 x 4", "category": "Brick",
            "image_url": "https://api.brikonnect.com/api/v1/catalog/images/480/PART/5/3001",
            "matched_by": "LEGO element 300121", "color_id": 5, "platform_ids": {
                "bricklink": "3001", "brickowl": "", "brikick": "", "rebrickable": "3001", "ldraw": "",
                "lego_elements": ["300121"],
            },
            "colors_available": [{"id": 5, "name": "Red", "rgb": "C91A09", "element_ids": ["300121"]}],
            "in_stock": [], "open_orders": [],
        }
    ],
    "corrected": "",
}  # fmt: skip


# --- What goes out --------------------------------------------------------------------------------------------------
class PlatformIdsOut(serializers.Serializer):
    bricklink = serializers.CharField()
    brickowl = serializers.CharField(help_text="A BOID; empty where none is known, as of the other platforms.")
    brikick = serializers.CharField()
    rebrickable = serializers.CharField()
    ldraw = serializers.CharField()
    lego_elements = serializers.ListField(child=serializers.CharField())


class ColorAvailable(serializers.Serializer):
    id = serializers.IntegerField(help_text="BrickLink's.")
    name = serializers.CharField()
    rgb = serializers.CharField()
    element_ids = serializers.ListField(child=serializers.CharField(), help_text="LEGO's, of the item in this color.")


class ItemColorOut(ColorAvailable):
    qty_known = serializers.IntegerField(allow_null=True, help_text="In how many sets it is met.")
    qty_in_stock = serializers.IntegerField()


class OpenOrderOut(serializers.Serializer):
    order_id = serializers.UUIDField()
    external_order_id = serializers.CharField(source="number", help_text="The channel's number.")
    status = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    qty = serializers.IntegerField(help_text="Ordered pieces of the item in this color.")


class SearchResult(serializers.Serializer):
    item_type = serializers.CharField()
    canonical_id = serializers.CharField(help_text="BrickLink's number; another's where BrickLink has none.")
    name = serializers.CharField()
    category = serializers.CharField()
    image_url = serializers.CharField(help_text=PICTURE)
    matched_by = serializers.CharField(help_text="Whose number it was found by, empty where it was the item's own.")
    color_id = serializers.IntegerField(allow_null=True, help_text="Fixed by the number, or named beside it.")
    platform_ids = PlatformIdsOut()
    colors_available = ColorAvailable(many=True)
    in_stock = InStock(many=True)
    open_orders = OpenOrderOut(many=True, help_text=_OPEN_ORDERS)


class SearchOut(serializers.Serializer):
    results = SearchResult(many=True)
    corrected = serializers.CharField(help_text="What was looked for instead, where nothing is spelled as asked.")


class NumberOut(serializers.Serializer):
    system = serializers.CharField()
    number = serializers.CharField()
    is_sure = serializers.BooleanField(help_text="What isn't is a hint.")


class ItemOut(serializers.Serializer):
    item_type = serializers.CharField()
    canonical_id = serializers.CharField()
    name = serializers.CharField()
    category = serializers.CharField()
    image_url = serializers.CharField(help_text=PICTURE)
    weight_grams = serializers.DecimalField(max_digits=9, decimal_places=2, allow_null=True)
    dimensions = serializers.CharField(help_text="Parts in studs, sets in centimeters.")
    year_released = serializers.IntegerField(allow_null=True)
    year_ended = serializers.IntegerField(allow_null=True)
    alternate_ids = serializers.ListField(child=serializers.CharField())
    platform_ids = PlatformIdsOut()
    numbers = NumberOut(many=True, help_text="All that platforms have for it, the surest first.")
    colors_available = ColorAvailable(many=True)
    in_stock = InStock(many=True)
    open_orders = OpenOrderOut(many=True, help_text=_OPEN_ORDERS)


class SetPartOut(serializers.Serializer):
    item_type = serializers.CharField()
    canonical_id = serializers.CharField()
    name = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    color_name = serializers.CharField()
    qty = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["regular", "spare", "alternate", "counterpart"])
    match_id = serializers.IntegerField(allow_null=True, help_text="Of those with the same one, one is in the set.")


class CategoryOut(serializers.Serializer):
    id = serializers.IntegerField(help_text="The source's own.")
    kind = serializers.ChoiceField(choices=CategoryKind.values)
    name = serializers.CharField()
    parent_id = serializers.IntegerField(allow_null=True)


class SearchQuery(serializers.QuerySerializer):
    q = serializers.CharField(max_length=MAX_TEXT, help_text="A number of any platform, or words in any order.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=_MOST, default=_LIMIT)


def _color(known: KnownColor) -> dict[str, Any]:
    return {
        "id": known.color.id, "name": known.color.name, "rgb": known.color.rgb, "element_ids": known.element_ids,
    }  # fmt: skip


def in_stock_rows(lots: Iterable[LotRow]) -> list[dict[str, Any]]:
    """Answer lots as what is in stock of a thing."""
    return [
        {
            "inventory_item_id": lot.id, "color_id": lot.color_id, "condition": lot.condition,
            "qty_available": lot.qty_available, "qty_reserved": lot.qty_reserved,
            "locations": [place.code for place in lot.places],
        }
        for lot in lots
    ]  # fmt: skip


def _result(request: Request, result: Result) -> dict[str, Any]:
    hit, known = result.hit, result.known
    return {
        "item_type": hit.item_type, "canonical_id": hit.item_no, "name": hit.name, "category": known.category,
        "image_url": image_address(request, hit.item_type, hit.item_no, hit.color_id), "matched_by": hit.found_by,
        "color_id": hit.color_id, "platform_ids": known.ids,
        "colors_available": [_color(color) for color in known.colors], "in_stock": in_stock_rows(result.lots),
        "open_orders": result.open_orders,
    }  # fmt: skip


def item_named(item_type: str, item_no: str) -> CatalogItem:
    """Answer the item that an address names. Raises NotFound."""
    if item_type.upper() not in ItemType.values:
        raise NotFound("There is no such type of item.")
    return items.get_item(item_type.upper(), item_no)


# --- Endpoints ------------------------------------------------------------------------------------------------------
class SearchView(ApiView):
    """Items by any platform's number, or by words."""

    access = {"GET": "inventory:read"}

    @operation("Search the catalog", answers=SearchOut, query=SearchQuery, example_answer=_EXAMPLE)
    def get(self, request: Request) -> HttpResponse:
        """Answer the items that are meant, the likeliest first, and what of them is in stock."""
        found = queries.find_items(self.query["q"], limit=self.query["limit"])
        results = [_result(request, result) for result in queries.with_stock(found.hits)]
        return self.answer({"results": results, "corrected": found.corrected})


class ItemView(ApiView):
    """One item of the catalog."""

    access = {"GET": "inventory:read"}

    @operation("Show an item of the catalog", answers=ItemOut)
    def get(self, request: Request, item_type: str, item_no: str) -> HttpResponse:
        """Answer an item, its numbers on every platform, the colors it exists in, and what of it is in stock."""
        item = item_named(item_type, item_no)
        key = (item.item_type, item.item_no)
        known = items.details_of({item.pk: key}).get(item.pk, Known())
        return self.answer(
            {
                **{name: getattr(item, name) for name in ("item_type", "name", "weight_grams", "dimensions",
                   "year_released", "year_ended")},
                "image_url": image_address(request, item.item_type, item.item_no), "canonical_id": item.item_no,
                "category": known.category, "alternate_ids": item.alternate_nos,
                "platform_ids": known.ids, "numbers": items.numbers_of(item),
                "colors_available": [_color(color) for color in known.colors],
                "in_stock": in_stock_rows(queries.stock_of([key]).get(key, ())),
                "open_orders": open_orders_of([key]).get(key, ()),
            }
        )  # fmt: skip


class ItemColorsView(ApiView):
    """The colors of an item."""

    access = {"GET": "inventory:read"}

    @operation("List the colors of an item", answers=ItemColorOut, many=True)
    def get(self, _request: Request, item_type: str, item_no: str) -> HttpResponse:
        """Answer the colors in which an item exists, with LEGO's element ids and what is in stock of each."""
        item = item_named(item_type, item_no)
        key = (item.item_type, item.item_no)
        holdings = holdings_of([key])
        return self.answer(
            [
                {
                    **_color(known), "qty_known": known.qty_known,
                    "qty_in_stock": held(holdings, key, known.color.id).qty,
                }
                for known in items.colors_of(item)
            ]
        )  # fmt: skip


class SetPartsView(ApiView):
    """What is in a set."""

    access = {"GET": "inventory:read"}

    @operation("List what is in a set", answers=SetPartOut, many=True)
    def get(self, _request: Request, item_no: str) -> HttpResponse:
        """Answer a set's parts and figures, its spares, and what may be there instead."""
        item = items.get_item(ItemType.SET, item_no)
        found = items.contents_of([item.pk]).get(item.pk, [])
        return self.answer(
            {
                "item_type": one.line.item_type, "canonical_id": one.line.item_no, "name": one.line.name,
                "color_id": one.line.color.id if one.line.color else None,
                "color_name": one.line.color.name if one.line.color else "", "qty": one.line.qty, "kind": one.kind,
                "match_id": one.match_id,
            }
            for one in found
        )  # fmt: skip


class CategoriesView(ApiView):
    """The categories of the catalog."""

    access = {"GET": SIGNED_IN}
    public_api = ()

    @operation("List categories", answers=CategoryOut, many=True, cached_s=_CACHED_S)
    def get(self, _request: Request) -> HttpResponse:
        """Answer BrickLink's categories, and Rebrickable's part categories and themes."""
        return self.answer(
            {
                "id": one.number, "kind": one.kind, "name": one.name,
                "parent_id": one.parent.number if one.parent else None,
            }
            for one in items.categories()
        )  # fmt: skip


_NO = "<str:item_no>"
api_urlpatterns = [
    path("search", SearchView.as_view(), name="search"),
    path(f"catalog/items/<str:item_type>/{_NO}", ItemView.as_view(), name="catalog-item"),
    path(f"catalog/items/<str:item_type>/{_NO}/colors", ItemColorsView.as_view(), name="catalog-item-colors"),
    path(f"catalog/sets/{_NO}/parts", SetPartsView.as_view(), name="catalog-set-parts"),
    path("definitions/categories", CategoriesView.as_view(), name="categories"),
]

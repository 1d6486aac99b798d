"""What things go for over HTTP: the price guide of an item in a color and condition."""

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request

from catalog import colors
from catalog import services as catalog
from catalog.choices import MAY_HAVE_COLOR, NEEDS_COLOR
from catalog.queries.pricing import KeptFigures, PriceKey, guide_of
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Invalid, ProviderError, ProviderUnavailable, RateLimited
from common.wire import CallClass
from inventory.api.catalog import item_named
from inventory.choices import ItemCondition
from inventory.queries.pricing import market

_AMOUNTS = ("price_min", "price_avg", "price_qty_avg", "price_max")
_PIECE = "Of a piece; null where nothing was sold or is offered."
_EXAMPLE = {
    "item_type": "PART", "canonical_id": "3001", "color_id": 5, "condition": "NEW", "currency": "EUR", "region": "",
    "sold": {
        "is_known": True, "price_min": "0.0500", "price_avg": "0.1234", "price_qty_avg": "0.1100",
        "price_max": "0.4000", "lots_count": 20, "qty": 900, "fetched_at": "2026-03-12T14:02:00Z",
    },
    "stock": None,
}  # fmt: skip


class FiguresOut(serializers.Serializer):
    is_known = serializers.BooleanField(help_text="False where the price guide doesn't know the item.")
    price_min = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True, help_text=_PIECE)
    price_avg = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    price_qty_avg = serializers.DecimalField(
        max_digits=12, decimal_places=4, allow_null=True, help_text="Weighted by the pieces of each sale or offer."
    )
    price_max = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    lots_count = serializers.IntegerField(help_text="Sales, or lots that are offered.")
    qty = serializers.IntegerField(help_text="Pieces.")
    fetched_at = serializers.DateTimeField(help_text="When BrickLink was asked; after 14 days it is asked anew.")


class PriceGuideOut(serializers.Serializer):
    item_type = serializers.CharField()
    canonical_id = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True, help_text="BrickLink's; null for what has none.")
    condition = serializers.ChoiceField(choices=ItemCondition.values)
    currency = serializers.CharField(help_text="The shop's.")
    region = serializers.CharField(help_text="Empty for the world.")
    sold = FiguresOut(allow_null=True, help_text="Of the last six months; null where nobody can be asked.")
    stock = FiguresOut(allow_null=True, help_text="Of what is offered now.")


class PriceGuideQuery(serializers.QuerySerializer):
    color_id = serializers.IntegerField(
        required=False, min_value=1, max_value=9999, help_text="BrickLink's; a part needs one."
    )
    condition = serializers.ChoiceField(required=False, choices=ItemCondition.values, default=ItemCondition.NEW.value)


def _figures(kept: KeptFigures | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    names = (*_AMOUNTS, "lots_count", "qty", "is_known", "fetched_at")
    return {name: getattr(kept, name) for name in names}


class PriceGuideView(ApiView):
    """What an item goes for."""

    access = {"GET": "inventory:read"}

    @operation(
        "Show what an item goes for",
        answers=PriceGuideOut,
        query=PriceGuideQuery,
        example_answer=_EXAMPLE,
        errors=(RateLimited, ProviderUnavailable),
    )
    def get(self, _request: Request, item_type: str, item_no: str) -> HttpResponse:
        """Answer BrickLink's figures: what is kept, asked anew where that is older than 14 days.

        Where BrickLink doesn't answer, or the day's calls are used up, older figures are answered if there are any.
        """
        item, color_id = item_named(item_type, item_no), self.query.get("color_id")
        _check_color(item.item_type, color_id)
        key, here = PriceKey(item.item_type, item.item_no, color_id, self.query["condition"]), market()
        try:
            found = catalog.fetch_guide(
                key=key, currency=here.currency, region=here.region, now=timezone.now(), call_class=CallClass.URGENT
            )
        except (RateLimited, ProviderError):
            found = guide_of(key, currency=here.currency, region=here.region)
            if found.sold is None and found.stock is None:
                raise
        return self.answer(
            {
                "item_type": item.item_type, "canonical_id": item.item_no, "color_id": color_id,
                "condition": key.condition, "currency": here.currency, "region": here.region,
                "sold": _figures(found.sold), "stock": _figures(found.stock),
            }
        )  # fmt: skip


def _check_color(item_type: str, color_id: int | None) -> None:
    if color_id is None and item_type in NEEDS_COLOR:
        raise Invalid(errors={"/color_id": ["A part needs a color."]})
    if color_id is not None and (item_type not in MAY_HAVE_COLOR or colors.get(color_id) is None):
        raise Invalid(errors={"/color_id": ["This can't be its color."]})


api_urlpatterns = [
    path(
        "catalog/items/<str:item_type>/<str:item_no>/price-guide",
        PriceGuideView.as_view(),
        name="catalog-item-price-guide",
    ),
]

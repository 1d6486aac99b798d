"""Pictures of items for programs: at the addresses that the other answers name."""

from django.http import HttpResponse
from django.urls import path, reverse
from rest_framework.request import Request

from catalog.queries.images import ON_PAGES
from catalog.views import picture_response
from common.access import SIGNED_IN
from common.api.operations import operation
from common.api.views import ApiView


def image_address(request: Request, item_type: str, item_no: str, color_id: int | None = None) -> str:
    """Answer where on the host that was asked the picture of an item is; a drawing where no source has one."""
    asked = request._request
    return asked.build_absolute_uri(
        reverse("api:catalog-image", args=[ON_PAGES, item_type, color_id or 0, item_no], urlconf=asked.urlconf)
    )


class ImageView(ApiView):
    """The picture of an item in a color."""

    access = {"GET": SIGNED_IN}

    @operation("Show a picture", files=("image/webp", "image/svg+xml"))
    def get(self, request: Request, side: int, item_type: str, color_id: int, item_no: str) -> HttpResponse:
        """Answer the picture, 96 or 480 pixels wide and high; `color_id` 0: in no particular color.

        At first, and where no source has one, it is a drawing (`image/svg+xml`); with `Cache-Control: no-store` it is
        worth asking again in a few seconds.
        """
        return picture_response(request._request, side=side, item_type=item_type, item_no=item_no, color_id=color_id)


api_urlpatterns = [
    path(
        "catalog/images/<int:side>/<str:item_type>/<int:color_id>/<path:item_no>",
        ImageView.as_view(),
        name="catalog-image",
    ),
]

"""Stock and the catalog over HTTP."""

from inventory.api import catalog, images, pricing, stock

api_urlpatterns = [
    *stock.api_urlpatterns, *catalog.api_urlpatterns, *images.api_urlpatterns, *pricing.api_urlpatterns,
]  # fmt: skip

"""Stock and the catalog over HTTP."""

from inventory.api import catalog, stock

api_urlpatterns = [*stock.api_urlpatterns, *catalog.api_urlpatterns]

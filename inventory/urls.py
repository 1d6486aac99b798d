"""The addresses of inventory."""

from django.urls import path

from inventory.views import bulk, listing, lots, merging

app_name = "inventory"

_lots = [
    path("", listing.lots, name="list"),
    path("totals/", listing.totals, name="totals"),
    path("filters/", listing.filter_sheet, name="filters"),
    path("columns/", listing.column_sheet, name="columns"),
    path("columns/choose/", listing.choose_columns, name="choose_columns"),
    path("views/counts/", listing.view_counts, name="view_counts"),
    path("views/new/", listing.new_view, name="new_view"),
    path("views/<uuid:view_id>/", listing.view, name="view"),
    path("views/<uuid:view_id>/delete/", listing.delete_view, name="delete_view"),
    path("add/", lots.add, name="add"),
    path("add/known/", lots.known, name="known"),
    path("bulk/", bulk.edit, name="bulk"),
    path("bulk/preview/", bulk.preview, name="bulk_preview"),
    path("bulk/apply/", bulk.apply, name="bulk_apply"),
    path("merge/", merging.merge, name="merge"),
    path("merge/apply/", merging.apply, name="merge_apply"),
    path("consolidate/", merging.consolidate, name="consolidate"),
    path("<uuid:lot_id>/", lots.lot, name="lot"),
    path("<uuid:lot_id>/edit/", lots.edit_field, name="edit"),
    path("<uuid:lot_id>/resolve/", lots.resolve, name="resolve"),
    path("<uuid:lot_id>/split/", lots.split, name="split"),
    path("<uuid:lot_id>/delete/", lots.delete, name="delete"),
]

urlpatterns = [*_lots]

"""Routes of inventory's pages."""

from django.urls import path

from catalog import views as pictures
from inventory.views import (
    adding,
    bulk,
    catalog,
    counting,
    exporting,
    identifying,
    importing,
    labels,
    listing,
    locations,
    lots,
    mappings,
    merging,
    moving,
    part_out,
    pricing,
    purchases,
    remarks,
    repricing,
    unmapped,
)

app_name = "inventory"

_lots = [
    path("", listing.lots, name="list"),
    path("totals/", listing.totals, name="totals"),
    path("worth/", listing.worth, name="worth"),
    path("filters/", listing.filter_sheet, name="filters"),
    path("columns/", listing.column_sheet, name="columns"),
    path("columns/choose/", listing.choose_columns, name="choose_columns"),
    path("views/counts/", listing.view_counts, name="view_counts"),
    path("views/new/", listing.new_view, name="new_view"),
    path("views/<uuid:view_id>/", listing.view, name="view"),
    path("views/<uuid:view_id>/delete/", listing.delete_view, name="delete_view"),
    path("add/", adding.add, name="add"),
    path("add/known/", adding.known, name="known"),
    path("add/items/", adding.offered_items, name="offered_items"),
    path("add/identify/", identifying.identify, name="identify"),
    path("part-out/", part_out.part_out, name="part_out"),
    path("part-out/prices/", part_out.part_out_prices, name="part_out_prices"),
    path("look-up/", identifying.look_up, name="look_up"),
    path("bulk/", bulk.edit, name="bulk"),
    path("bulk/preview/", bulk.preview, name="bulk_preview"),
    path("bulk/apply/", bulk.apply, name="bulk_apply"),
    path("bulk/guide/", repricing.guide, name="bulk_guide"),
    path("bulk/prices/", repricing.fetch_chosen, name="bulk_prices"),
    path("merge/", merging.merge, name="merge"),
    path("merge/apply/", merging.apply, name="merge_apply"),
    path("consolidate/", merging.consolidate, name="consolidate"),
    path("<uuid:lot_id>/", lots.lot, name="lot"),
    path("<uuid:lot_id>/edit/", lots.edit_field, name="edit"),
    path("<uuid:lot_id>/place/", moving.place_lot, name="place_lot"),
    path("<uuid:lot_id>/places/", moving.places, name="places"),
    path("<uuid:lot_id>/resolve/", lots.resolve, name="resolve"),
    path("<uuid:lot_id>/split/", lots.split, name="split"),
    path("<uuid:lot_id>/merge/", merging.merge_with, name="merge_with"),
    path("<uuid:lot_id>/price-guide/", pricing.lot_prices, name="lot_prices"),
    path("<uuid:lot_id>/delete/", lots.delete, name="delete"),
]

_locations = [
    path("locations/", locations.location_list, name="locations"),
    path("locations/new/", locations.location_new, name="location_new"),
    path("locations/generate/", locations.generate, name="generate"),
    path("locations/move/", moving.move, name="move"),
    path("locations/put-away/", moving.put_away, name="put_away"),
    path("locations/put-away/save/", moving.put_away_save, name="put_away_save"),
    path("locations/labels/", labels.location_labels, name="location_labels"),
    path("locations/remarks/", remarks.remarks, name="remarks"),
    path("locations/remarks/start/", remarks.remarks_start, name="remarks_start"),
    path("locations/<uuid:location_id>/", locations.location, name="location"),
    path("locations/<uuid:location_id>/edit/", locations.location_edit, name="location_edit"),
    path("locations/<uuid:location_id>/delete/", locations.location_delete, name="location_delete"),
    path("locations/<uuid:location_id>/empty/", locations.location_empty, name="location_empty"),
    path("locations/<uuid:location_id>/route/", locations.location_route, name="location_route"),
    path("locations/<uuid:location_id>/count/", counting.count, name="count"),
    path("lots/labels/", labels.lot_labels, name="lot_labels"),
    path("lots/<uuid:lot_id>/count/", counting.count_lot, name="lot_count"),
]

_purchases = [
    path("purchases/", purchases.purchase_list, name="purchases"),
    path("purchases/new/", purchases.purchase_new, name="purchase_new"),
    path("purchases/<uuid:purchase_id>/", purchases.purchase, name="purchase"),
    path("purchases/<uuid:purchase_id>/edit/", purchases.purchase_edit, name="purchase_edit"),
    path("purchases/<uuid:purchase_id>/delete/", purchases.purchase_delete, name="purchase_delete"),
    path("purchases/<uuid:purchase_id>/lots/<uuid:lot_id>/", purchases.purchase_add, name="purchase_add"),
    path("purchases/lines/<uuid:line_id>/", purchases.purchase_line, name="purchase_line"),
    path("lots/<uuid:lot_id>/purchase/", purchases.lot_purchase, name="lot_purchase"),
]

_repricing = [
    path("repricing/", repricing.repricing_list, name="repricing"),
    path("repricing/rules/new/", repricing.rule_new, name="repricing_rule_new"),
    path("repricing/rules/<uuid:rule_id>/", repricing.rule, name="repricing_rule"),
    path("repricing/rules/<uuid:rule_id>/delete/", repricing.rule_delete, name="repricing_rule_delete"),
    path("repricing/rules/<uuid:rule_id>/move/", repricing.rule_move, name="repricing_rule_move"),
    path("repricing/rules/<uuid:rule_id>/run/", repricing.rule_run, name="repricing_rule_run"),
    path("repricing/runs/<uuid:run_id>/", repricing.run, name="repricing_run"),
    path("repricing/runs/<uuid:run_id>/approve/", repricing.run_approve, name="repricing_approve"),
    path("repricing/runs/<uuid:run_id>/again/", repricing.run_again, name="repricing_again"),
    path("repricing/runs/<uuid:run_id>/discard/", repricing.run_discard, name="repricing_discard"),
    path("repricing/runs/<uuid:run_id>/fetch/", repricing.run_fetch, name="repricing_fetch"),
]

_files = [
    path("export/", exporting.export, name="export"),
    path("import/", importing.import_list, name="imports"),
    path("import/<uuid:import_id>/", importing.import_detail, name="import"),
    path("import/<uuid:import_id>/answers/", importing.import_answers, name="import_answers"),
    path("import/<uuid:import_id>/again/", importing.import_again, name="import_again"),
    path("import/<uuid:import_id>/approve/", importing.import_approve, name="import_approve"),
    path("import/<uuid:import_id>/discard/", importing.import_discard, name="import_discard"),
    path("import/<uuid:import_id>/left-out/", importing.import_left_out, name="import_left_out"),
    path("import/<uuid:import_id>/problems.csv", importing.import_problems, name="import_problems"),
]

urlpatterns = [*_lots, *_files, *_locations, *_purchases, *_repricing]

# What everybody's catalog and the shop's own stock say together; at addresses of their own.
catalog_urlpatterns = [
    path("search/", catalog.search, name="search"),
    path("catalog/unmapped/", unmapped.unmapped, name="unmapped"),
    path("catalog/unmapped/all/", unmapped.unmapped_list, name="unmapped_list"),
    path("catalog/unmapped/decide/", unmapped.decide, name="decide"),
    path("catalog/unmapped/leave/", unmapped.leave, name="leave"),
    path("catalog/unmapped/left/<uuid:left_id>/reopen/", unmapped.reopen, name="reopen"),
    path("catalog/mappings/", mappings.mapping_list, name="mappings"),
    path("catalog/mappings/new/", mappings.mapping_new, name="mapping_new"),
    path("catalog/mappings/<uuid:mapping_id>/", mappings.mapping_edit, name="mapping"),
    path("catalog/mappings/<uuid:mapping_id>/delete/", mappings.mapping_delete, name="mapping_delete"),
    path("catalog/items/<str:item_type>/<path:item_no>/price-guide/", pricing.item_prices, name="item_prices"),
    # A number may have a slash in it.
    path("catalog/items/<str:item_type>/<path:item_no>/", catalog.item, name="item"),
    path("catalog/images/<int:side>/<str:item_type>/<int:color_id>/<path:item_no>", pictures.image, name="image"),
]

"""Routes of orders' pages."""

from django.urls import path

from orders.views import bulk, buyers, documents, elsewhere, files, listing, new, order

app_name = "orders"

urlpatterns = [
    path("", listing.order_list, name="list"),
    path("filters/", listing.filter_sheet, name="filters"),
    path("columns/", listing.column_sheet, name="columns"),
    path("columns/choose/", listing.choose_columns, name="choose_columns"),
    path("views/new/", listing.new_view, name="new_view"),
    path("views/<uuid:view_id>/", listing.view, name="view"),
    path("views/<uuid:view_id>/delete/", listing.delete_view, name="delete_view"),
    path("bulk/", bulk.bulk, name="bulk"),
    path("export/", bulk.export, name="export"),
    path("new/", new.new, name="new"),
    path("import/", files.file_list, name="files"),
    path("import/template.csv", files.template, name="file_template"),
    path("import/<uuid:file_id>/", files.file, name="file"),
    path("import/<uuid:file_id>/approve/", files.approve, name="file_approve"),
    path("import/<uuid:file_id>/discard/", files.discard, name="file_discard"),
    path("work/", elsewhere.work, name="work"),
    path("of-item/", elsewhere.of_item, name="of_item"),
    path("of-lot/<uuid:lot_id>/", elsewhere.of_lot, name="of_lot"),
    path("buyers/", buyers.buyer_list, name="buyers"),
    path("buyers/<uuid:buyer_id>/", buyers.buyer, name="buyer"),
    path("buyers/<uuid:buyer_id>/notes/", buyers.notes, name="buyer_notes"),
    path("buyers/<uuid:buyer_id>/merge/", buyers.merge, name="buyer_merge"),
    path("buyers/<uuid:buyer_id>/erase/", buyers.erase, name="buyer_erase"),
    path("<uuid:order_id>/", order.order, name="order"),
    path("<uuid:order_id>/status/", order.status, name="status"),
    path("<uuid:order_id>/cancel/", order.cancel, name="cancel"),
    path("<uuid:order_id>/payment/", order.payment, name="payment"),
    path("<uuid:order_id>/refund/", order.refund, name="refund"),
    path("<uuid:order_id>/edit/", order.edit, name="edit"),
    path("<uuid:order_id>/notes/", order.notes, name="notes"),
    path("<uuid:order_id>/lines/", new.edit_lines, name="edit_lines"),
    path("<uuid:order_id>/lines/<uuid:line_id>/", order.line, name="line"),
    path("<uuid:order_id>/alone/", order.alone, name="alone"),
    path("<uuid:order_id>/together/", order.together, name="together"),
    path("<uuid:order_id>/replace/", order.replace, name="replace"),
    path("<uuid:order_id>/packing-slip.pdf", documents.packing_slip, name="packing_slip"),
    path("<uuid:order_id>/invoice.pdf", documents.invoice, name="invoice"),
]

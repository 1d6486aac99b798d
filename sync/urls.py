"""Routes of the pages for which a channel is asked."""

from django.urls import path

from sync import order_views as orders
from sync import push_views as stock
from sync import views

app_name = "sync"

urlpatterns = [
    path("stores/connect/", views.channels, name="channels"),
    path("stores/connect/<slug:channel>/", views.connect, name="connect"),
    path("stores/<uuid:store_id>/credentials/", views.credentials, name="credentials"),
    path("stores/<uuid:store_id>/test/", views.test, name="test"),
    path("sync/", views.run_list, name="runs"),
    path("sync/new/", views.new_run, name="new_run"),
    path("sync/work/", views.work, name="work"),
    path("sync/conflicts/", views.conflict_list, name="conflicts"),
    path("sync/conflicts/decide/", views.decide, name="decide"),
    path("sync/runs/<uuid:run_id>/", views.run, name="run"),
    path("sync/runs/<uuid:run_id>/choose/", views.choose, name="choose"),
    path("sync/runs/<uuid:run_id>/approve/", views.approve, name="approve"),
    path("sync/runs/<uuid:run_id>/ask/", views.ask, name="ask"),
    path("sync/runs/<uuid:run_id>/discard/", views.discard, name="discard"),
    path("sync/runs/<uuid:run_id>/stop/", views.stop, name="stop"),
    path("sync/runs/<uuid:run_id>/again/", views.plan_again, name="plan_again"),
    path("sync/runs/<uuid:run_id>/retry/", views.retry, name="retry"),
    path("sync/runs/<uuid:run_id>/inverse/", views.inverse, name="inverse"),
    path("stores/<uuid:store_id>/sync/", orders.sync_now, name="sync_now"),
    path("stores/<uuid:store_id>/orders/", orders.of_store, name="store_orders"),
    path("stores/<uuid:store_id>/stuck/<int:stuck_id>/", orders.stuck, name="stuck"),
    path("stores/<uuid:store_id>/stock/", stock.stock_of_store, name="store_stock"),
    path("inventory/lots/<uuid:lot_id>/listings/", stock.listings_of_lot, name="lot_listings"),
    path("orders/stuck/", orders.waiting, name="orders_waiting"),
    path("orders/<uuid:order_id>/told/", orders.told, name="told"),
    path("orders/<uuid:order_id>/tell/", orders.tell_again, name="tell_again"),
    path("orders/<uuid:order_id>/messages/", orders.read_messages, name="read_messages"),
    # Part of the API's addresses: what others call (api.md).
    path("api/v1/channels/<slug:channel>/notify/<str:token>", orders.notify, name="notify"),
]

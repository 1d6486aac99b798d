"""Routes of the stores' pages."""

from django.urls import path

from stores import views

app_name = "stores"

urlpatterns = [
    path("stores/", views.store_list, name="list"),
    path("stores/summary/", views.summary, name="summary"),
    path("stores/vacation/", views.vacation, name="vacation"),
    path("stores/<uuid:store_id>/", views.store, name="store"),
    path("stores/<uuid:store_id>/settings/", views.store_settings, name="settings"),
    path("stores/<uuid:store_id>/switch/", views.store_switch, name="switch"),
    path("stores/<uuid:store_id>/disconnect/", views.store_disconnect, name="disconnect"),
]

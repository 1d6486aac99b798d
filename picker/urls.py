"""Routes of picking's pages."""

from django.urls import path

from picker.views import figures, setup, walk

app_name = "picker"

urlpatterns = [
    path("picking/figures/", figures.figures, name="figures"),
    path("picking/sw.js", walk.worker, name="worker"),
    path("picking/<uuid:session_id>/walk/", walk.walk, name="walk"),
    path("settings/picking/", setup.setup, name="setup"),
    path("settings/picking/change/", setup.setup_change, name="setup_change"),
]

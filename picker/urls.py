"""Routes of picking's pages."""

from django.urls import path

from picker.views import walk

app_name = "picker"

urlpatterns = [
    path("picking/sw.js", walk.worker, name="worker"),
    path("picking/<uuid:session_id>/walk/", walk.walk, name="walk"),
]

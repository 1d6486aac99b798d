"""Addresses of inventory's pages."""

from django.urls import path

from inventory.views import importing

app_name = "inventory"

urlpatterns = [
    path("import/", importing.import_list, name="imports"),
    path("import/<uuid:import_id>/", importing.import_detail, name="import"),
    path("import/<uuid:import_id>/answers/", importing.import_answers, name="import_answers"),
    path("import/<uuid:import_id>/again/", importing.import_again, name="import_again"),
    path("import/<uuid:import_id>/approve/", importing.import_approve, name="import_approve"),
    path("import/<uuid:import_id>/discard/", importing.import_discard, name="import_discard"),
    path("import/<uuid:import_id>/problems.csv", importing.import_problems, name="import_problems"),
]

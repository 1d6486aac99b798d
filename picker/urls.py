"""Routes of picking's pages."""

from django.urls import path

from picker.views import deeds, figures, listing, new, paper, session, setup, walk

app_name = "picker"

urlpatterns = [
    path("picking/", listing.session_list, name="list"),
    path("picking/figures/", figures.figures, name="figures"),
    path("picking/new/", new.new, name="new"),
    path("picking/of-order/<uuid:order_id>/", session.of_order, name="of_order"),
    path("picking/sw.js", walk.worker, name="worker"),
    path("picking/<uuid:session_id>/", session.session, name="session"),
    path("picking/<uuid:session_id>/add/", deeds.add, name="add_orders"),
    path("picking/<uuid:session_id>/cancel/", deeds.cancel, name="cancel"),
    path("picking/<uuid:session_id>/confirm/", paper.confirm, name="confirm"),
    path("picking/<uuid:session_id>/finish/", deeds.finish, name="finish"),
    path("picking/<uuid:session_id>/notes/", deeds.notes, name="notes"),
    path("picking/<uuid:session_id>/orders/<uuid:order_id>/remove/", deeds.remove, name="remove_order"),
    path("picking/<uuid:session_id>/orders/<uuid:order_id>/weight/", session.weight, name="weight"),
    path("picking/<uuid:session_id>/pick-list.pdf", paper.pick_list, name="pick_list"),
    path("picking/<uuid:session_id>/start/", deeds.start, name="start"),
    path("picking/<uuid:session_id>/totes/", deeds.totes, name="totes"),
    path("picking/<uuid:session_id>/walk/", walk.walk, name="walk"),
    path("settings/picking/", setup.setup, name="setup"),
    path("settings/picking/change/", setup.setup_change, name="setup_change"),
]

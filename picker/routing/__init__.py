"""The thinking parts of a walk through a warehouse: how far, in which order, from which places. Pure."""

from picker.routing.choosing import Need, Place, Rule, choose_places
from picker.routing.grounds import Ground, Where, length_on, tour_on
from picker.routing.layouts import Aisles, Point, Spot, Tour, distance
from picker.routing.tours import tour, tour_free, tour_length

__all__ = [
    "Aisles",
    "Ground",
    "Need",
    "Place",
    "Point",
    "Rule",
    "Spot",
    "Tour",
    "Where",
    "choose_places",
    "distance",
    "length_on",
    "tour",
    "tour_free",
    "tour_length",
    "tour_on",
]

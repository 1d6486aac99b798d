"""The thinking parts of a walk through a warehouse: how far, in which order, from which places. Pure."""

from picker.routing.layouts import Aisles, Point, Spot, Tour, distance
from picker.routing.tours import tour, tour_free, tour_length

__all__ = ["Aisles", "Point", "Spot", "Tour", "distance", "tour", "tour_free", "tour_length"]

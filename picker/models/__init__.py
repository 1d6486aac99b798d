"""Tables of picking."""

from picker.models.sessions import Picker, PickEvent, PickNeed, PickSession, PickSessionOrder, PickStop
from picker.models.setup import MapPoint, PickingSetup

__all__ = [
    "MapPoint", "PickEvent", "PickNeed", "PickSession", "PickSessionOrder", "PickStop", "Picker", "PickingSetup",
]  # fmt: skip

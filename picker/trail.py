"""How the audit log calls pick sessions and what is done in them."""

from django.urls import reverse

from audit import labels
from picker.models import MapPoint, PickingSetup, PickSession

_ACTIONS = {
    "jobs.confirm_picks": "Confirmed picks from paper",
    "picker.add_orders": "Added orders to a pick session",
    "picker.cancel_session": "Cancelled a pick session",
    "picker.complete_session": "Finished a pick session",
    "picker.create_session": "Made a pick session",
    "picker.follow_order": "Fitted a pick session to its orders",
    "picker.record_pick": "Picked",
    "picker.remove_order": "Took an order out of a pick session",
    "picker.save_setup": "Changed how picking goes",
    "picker.start_session": "Started a pick session",
    "picker.update_session": "Changed a pick session",
}


def register() -> None:
    """Tell audit the words."""
    labels.describe(
        PickSession,
        name="pick session",
        label=lambda values: f"Session {values['number']}",
        url=lambda key: reverse("picker:session", args=[key]),
    )
    labels.describe(PickingSetup, name="picking settings", label=lambda _values: "Picking")
    labels.describe(MapPoint, name="place on the map", label=lambda values: f"{values['x']}, {values['y']}")
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)

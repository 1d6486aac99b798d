"""How what picking has changed is put back: settings by themselves, picks only in their session."""

from django.urls import reverse

from audit import reverters
from audit.reverters import Objection, Patch, Reverter, RowsReverter
from picker.models import MapPoint, PickingSetup, PickSession


class SessionReverter(Reverter):
    """Sessions go on or end; nothing of them is turned back by the audit log."""

    lock_place = 20

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "picker:manage_sessions"

    def objection(self, patch: Patch) -> Objection | None:
        return Objection(
            "Picks are undone in their session, and sessions are ended or cancelled there.",
            "Open session",
            reverse("picker:session", args=[patch.id]),
        )


class SetupReverter(RowsReverter):
    """Puts the way of picking back as it was."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "settings:write"


_PICKS = Objection("A pick is undone in its session, and its pieces with it.")
_ENDS = Objection("What a session has done to its orders stays; they are moved on or back by hand.")


def register() -> None:
    """Tell audit how this app's rows are put back."""
    for action in ("picker.record_pick", "jobs.confirm_picks"):
        reverters.keep(action, _PICKS)
    for action in ("add_orders", "cancel_session", "complete_session", "create_session", "remove_order"):
        reverters.keep(f"picker.{action}", _ENDS)
    reverters.register(PickSession, SessionReverter())
    reverters.register(PickingSetup, SetupReverter())
    reverters.register(MapPoint, SetupReverter())

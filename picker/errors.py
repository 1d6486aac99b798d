"""Why a pick can't be taken. A device shows the words and doesn't send it again."""

from common.errors import Conflict, Invalid


class SessionClosed(Conflict):
    """The session isn't being picked: it is a draft, or has ended."""

    type = "session-closed"
    title = "This session isn't being picked"


class AlreadyPicked(Conflict):
    """More pieces than are needed: a colleague has them, or fewer are wanted by now."""

    type = "already-picked"
    title = "These pieces aren't needed any more"


class OrderLeft(Conflict):
    """The order isn't in the session any more: it was cancelled, taken out or moved on."""

    type = "order-closed"
    title = "This order isn't picked any more"


class StopChanged(Conflict):
    """The stop isn't part of the walk any more."""

    type = "stop-changed"
    title = "This stop has changed"


class KeyReused(Invalid):
    """The key was another pick's."""

    type = "key-reused"
    title = "This key was used for another pick"

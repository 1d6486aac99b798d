"""What can stand in the way of a revert."""

from common.errors import Conflict


class NothingToRevert(Conflict):
    """All is as it was already, or nothing of it can be put back; `conflicts` counts what somebody must decide."""

    type = "nothing-to-revert"
    title = "There is nothing to put back"

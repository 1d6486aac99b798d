"""What can be refused here."""

from common.errors import Conflict


class PhotosSwitchedOff(Conflict):
    """The shop has its photos stay in the house."""

    type = "photos-switched-off"
    title = "Photos aren't identified in this shop"

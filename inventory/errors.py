"""What can be refused here."""

from common.errors import Conflict


class InsufficientStock(Conflict):
    """There are fewer pieces than are to be taken; `shortages` names the lots and what they have."""

    type = "insufficient-stock"
    title = "There aren't enough pieces"


class TooManyLots(Conflict):
    """So many lots are concerned that it is done in a job."""

    type = "too-many-lots"
    title = "This concerns so many lots that it is done in a job"

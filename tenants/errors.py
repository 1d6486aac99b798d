"""What can go wrong with tenants."""

from common.errors import Conflict, Gone, Invalid, PaymentRequired


class AddressTaken(Conflict):
    """Another shop has the address; `slug` names it."""

    type = "address-taken"
    title = "Another shop has this address"


class AddressRefused(Invalid):
    """The address can't be a shop's; the detail says why."""

    type = "address-refused"
    title = "This can't be a shop's address"


class WrongCode(Invalid):
    """The code isn't the one that we mailed; `tries_left` says how often one may still try."""

    type = "wrong-code"
    title = "This isn't the code"


class SignUpOver(Gone):
    """The sign-up is too old, was tried too often, or never was."""

    type = "sign-up-over"
    title = "This sign-up is over"


class Suspended(PaymentRequired):
    """The shop is suspended: one may look and export, changes wait."""

    title = "This shop is suspended"


class NoDeletionRequested(Conflict):
    """Nobody asked for the shop's deletion, so there is nothing to take back."""

    type = "no-deletion-requested"
    title = "No deletion was requested"

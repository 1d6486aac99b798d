"""What can't be done with people, and why."""

from common.errors import Conflict, Gone, NotAuthenticated


class LastOwner(Conflict):
    """The shop would be left without an owner who can sign in."""

    type = "last-owner"
    title = "A shop needs an owner"

    def __init__(self) -> None:
        super().__init__("This is the last owner. Make somebody else an owner first.")


class SystemRole(Conflict):
    """System roles are the same in every shop."""

    type = "system-role"
    title = "System roles can't be changed"

    def __init__(self) -> None:
        super().__init__("System roles can't be changed or deleted. Copy it and edit the copy.")


class RoleInUse(Conflict):
    """Somebody has the role, or is invited with it; `users` and `invitations` say how many."""

    type = "role-in-use"
    title = "The role is in use"


class InvitationClosed(Gone):
    """The invitation was used, revoked or has expired; `reason` says which."""

    type = "invitation-closed"
    title = "This invitation is no longer open"

    def __init__(self, reason: str) -> None:
        details = {
            "accepted": "It was used already. Sign in with the password that was chosen then.",
            "revoked": "It was taken back. Ask whoever invited you.",
            "expired": "It has expired. Ask whoever invited you for a new one.",
            "unknown": "The link isn't complete, or isn't ours. Open it from the e-mail again.",
        }
        super().__init__(details[reason], reason=reason)


class TicketSpent(Gone):
    """The link that leads into a new shop was used, or is older than five minutes."""

    type = "ticket-spent"
    title = "This link worked once"

    def __init__(self) -> None:
        super().__init__("The link was used or is too old. Sign in with your e-mail address and password.")


class SecondFactorRequired(NotAuthenticated):
    """The password was right; a code of the authenticator app or a recovery code is needed with it."""

    type = "second-factor-required"
    title = "A code is needed too"

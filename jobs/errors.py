"""What ends a job's function before its end. None of them is a failure of the job."""

from datetime import timedelta


class Stopped(Exception):  # noqa: N818  # not errors: ways to end
    """Base of what `run.check()` raises; a job's function lets it pass."""


class Cancelled(Stopped):
    """Somebody pressed Cancel: what is done stays, the rest isn't begun."""


class Interrupted(Stopped):
    """This worker stops; another goes on from the checkpoint."""


class LeaseLost(Stopped):
    """Another worker has taken the job over; this one's writes are refused from now on."""


class TryAgain(Exception):  # noqa: N818  # a wish, not an error
    """The job can't go on for the moment (a channel is away): it is taken up again from its checkpoint after `after`.

    `reason` is shown to people meanwhile.
    """

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after

"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        """Make what a subscriber does about an event one deed of the audit trail, which the outbox can't know of."""
        from audit import context  # noqa: PLC0415  # models are loaded only now
        from events import dispatch  # noqa: PLC0415

        dispatch.tell_inside(context.for_job)

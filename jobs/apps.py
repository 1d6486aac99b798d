"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        """Tell the floors below what they can't know of: the outbox of the trail, and the trail of jobs."""
        from audit import context, services  # noqa: PLC0415  # models are loaded only now
        from events import dispatch  # noqa: PLC0415
        from jobs.services import start_revert  # noqa: PLC0415

        # What a subscriber does about an event is one deed of the audit trail.
        dispatch.tell_inside(context.for_job)
        services.hand_over_to(start_revert)

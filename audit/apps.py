"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import labels  # noqa: PLC0415  # models are loaded only now

        labels.name_action("audit.revert", "Took back")
        labels.name_action("audit.repeat", "Did again")
        labels.name_action("audit.purge", "Removed old history")
        labels.name_action("system.change", "Changed by the system")

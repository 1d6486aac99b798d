"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        """Subscribe to what happens."""
        from notifications import handlers  # noqa: F401, PLC0415  # subscribing is the import's purpose

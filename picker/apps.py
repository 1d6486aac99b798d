"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class PickerConfig(AppConfig):
    name = "picker"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from picker import handlers, reverts, trail  # noqa: F401, PLC0415  # models are there only now

        reverts.register()
        trail.register()

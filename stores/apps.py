"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "stores"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stores import reverts, trail  # noqa: PLC0415  # models are there only now

        reverts.register()
        trail.register()

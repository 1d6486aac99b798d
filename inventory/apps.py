"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the audit trail how lots are called and put back."""
        from inventory import reverts, trail  # noqa: PLC0415  # models are there only now

        reverts.register()
        trail.register()

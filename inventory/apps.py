"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from inventory import handlers  # noqa: F401, PLC0415  # subscribing is the import's purpose

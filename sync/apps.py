"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "sync"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stores.guards import count_with  # noqa: PLC0415
        from stores.settings_schema import read_queries_with  # noqa: PLC0415
        from sync import channels, handlers, reverts, trail  # noqa: F401, PLC0415  # each registers itself by being imported
        from sync.queries.choosing import read_query, taken_off  # noqa: PLC0415

        read_queries_with(read_query)
        count_with(taken_off)
        reverts.register()
        trail.register()

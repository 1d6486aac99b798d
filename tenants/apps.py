"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants import reverts, trail_words  # noqa: PLC0415  # models are there only now

        reverts.register()
        trail_words.register()

"""The composition root as an app: its commands and the pages that span apps."""

from django.apps import AppConfig


class BrikonnectConfig(AppConfig):
    name = "brikonnect"

    def ready(self) -> None:
        """Give tasks their app and beat its schedule; every other app is ready by now, this one being the last."""
        from brikonnect import celery, demo, handlers  # noqa: F401, PLC0415  # settings and models are there only now

        celery.assemble()
        demo.register_check()

"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from orders import handlers, reverts, trail  # noqa: F401, PLC0415  # models are there only now
        from orders.queries import demand, totes  # noqa: PLC0415  # so are they here

        reverts.register()
        trail.register()
        demand.register()
        totes.register()

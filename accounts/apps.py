"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import reverts, trail  # noqa: PLC0415  # models are there only now
        from accounts.middleware import find_actor  # noqa: PLC0415  # see above
        from accounts.second_factor import register_secrets  # noqa: PLC0415  # see above
        from common import actor  # noqa: PLC0415  # see above

        reverts.register()
        trail.register()
        register_secrets()
        actor.register_finder(actor.ActorKind.USER, find_actor)

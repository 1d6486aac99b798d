"""The app and what is wired when Django starts."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

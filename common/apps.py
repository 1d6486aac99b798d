"""The app of the ground floor."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "common"

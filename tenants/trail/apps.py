"""An app for two history tables: the rows are public, their trail belongs to whoever changed them."""

from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "tenants.trail"
    label = "trail"

"""Test clients that ask a shop's host, and leave the test in the schema in which it was."""

from typing import Any, cast

from django.db import connection
from django.test import Client


class ShopClient(Client):
    """Django's client with a host. What a request does to the connection's schema is undone for the test."""

    def __init__(self, *, host: str = "", **defaults: Any) -> None:
        super().__init__(**defaults)
        if host:
            self.defaults["HTTP_HOST"] = host

    def request(self, **request: Any) -> Any:
        place = cast("Any", connection)
        before = getattr(place, "tenant", None)
        try:
            return super().request(**request)
        finally:
            if before is not None:
                place.set_tenant(before)

"""Where a page's message waits for the next page: in a cookie of the host's own, like all of ours."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Django's, under a name that no other host of the domain can set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.cookie_name = "__Host-messages" if settings.SESSION_COOKIE_SECURE else "messages"
        super().__init__(*args, **kwargs)


class MessageStorage(FallbackStorage):
    """The cookie, and the session for what is too long for it."""

    storage_classes = (HostCookieStorage, SessionStorage)

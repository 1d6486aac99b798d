"""What the shop's edition includes. Core asks here and never learns of billing."""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from common.errors import EditionRequired


class Entitlements(Protocol):
    """The socket: answers for the present workspace."""

    def edition(self) -> str:
        """Answer the edition's code, `lite` or `full`."""

    def allows(self, feature: str) -> bool:
        """Tell whether the edition includes the feature."""

    def limit(self, feature: str) -> int | None:
        """Answer how many of it the edition includes; None is no limit."""


class AllowAll:
    """The default: an installation without billing includes everything."""

    def edition(self) -> str:
        return "full"

    def allows(self, feature: str) -> bool:  # the socket's signature
        return True

    def limit(self, feature: str) -> int | None:  # the socket's signature
        return None


@cache
def _entitlements(path: str) -> Entitlements:
    made: Entitlements = import_string(path)()
    return made


def current() -> Entitlements:
    """Answer the installation's entitlements."""
    return _entitlements(getattr(settings, "ENTITLEMENTS", "common.entitlements.AllowAll"))


def require(feature: str) -> None:
    """Pass, or raise EditionRequired that names the feature."""
    if not current().allows(feature):
        raise EditionRequired(feature=feature, edition="full")

"""What a command is: who steers what, and with which words."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.sellers import World


class CommandError(ValueError):
    """The command can't be carried out; the text says why."""


Words = Mapping[str, str]
Sent = Mapping[str, Any]
# World, parts of the path and of the query, what was sent.
Handler = Callable[[World, Words, Sent], Any]
Route = tuple[str, str, Handler]

SELLER, ORDER = r"/sellers/(?P<seller>\d+)", r"/orders/(?P<order>\d+)"


def needed(sent: Sent, name: str) -> Any:
    """Answer a field that must be there."""
    if sent.get(name) in (None, ""):
        raise CommandError(f"'{name}' is missing")
    return sent[name]

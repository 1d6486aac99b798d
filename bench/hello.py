"""The limit of a page: the least that a WSGI application can do under the same server."""

from collections.abc import Callable, Iterable
from typing import Any


def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a constant."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]

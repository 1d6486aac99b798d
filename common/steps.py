"""Names the boundaries between durable effects, so that tests can stop a process at each of them."""

from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def step(name: str) -> None:
    """Mark a boundary; does nothing unless a test listens."""
    if _listener is not None:
        _listener(name)


def listen(listener: Callable[[str], None] | None) -> None:
    """Have every step told to `listener`. For tests."""
    global _listener  # noqa: PLW0603  # one listener for the process, set once by the test that owns the process
    _listener = listener

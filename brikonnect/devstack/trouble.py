"""One kind of error for a person at a terminal: what went wrong, and what to do about it."""

import errno

_NO_SPACE = ("No space left on device", "Disk quota exceeded")
_NO_SPACE_NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT})


class Trouble(Exception):  # noqa: N818  # not an error of the program: it tells of its surroundings
    """Something that the person at the terminal can mend; its text is shown as it is, without a traceback."""


def is_no_space(cause: OSError | str) -> bool:
    """Tell whether an error of the system, or a program's output, says that the disk is full."""
    if isinstance(cause, OSError):
        return cause.errno in _NO_SPACE_NUMBERS
    return any(words in cause for words in _NO_SPACE)


def no_space(place: object) -> Trouble:
    """Make the message for a full disk that holds `place`."""
    return Trouble(f"The disk of {place} is full.\nFree some space there, then run this command again.")


def tail(output: str, *, lines: int = 25) -> str:
    """Answer the last lines of a program's output, indented."""
    return "\n".join(f"    {line}" for line in output.strip().splitlines()[-lines:])

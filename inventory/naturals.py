"""Sorts codes as people read them: A2 before A10. The thinking part of every order of locations."""

import re

_DIGITS = re.compile(r"\d+")
_WIDTH = 10
# Room for codes that are nothing but numbers; longer ones sort by their beginning.
KEY_LENGTH = 160


def natural_key(text: str) -> str:
    """Answer the text in a form whose plain order is the natural one of the text, in any case."""
    padded = _DIGITS.sub(lambda found: found.group().lstrip("0").rjust(_WIDTH, "0"), text.strip().casefold())
    return padded[:KEY_LENGTH]


def route_key(*, code: str, sort_order: int) -> str:
    """Answer what places are ordered by on a walk: the number that the seller gave them, then their codes."""
    # The sign is moved out of the way, so that negative numbers come first in a plain comparison of texts.
    return f"{sort_order + 2**31:0{_WIDTH}d}{natural_key(code)}"

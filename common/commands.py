"""What management commands share: passwords that stand in no history, errors in words."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from common.errors import ProblemError


def read_password(user: Any) -> str:
    """Answer a password that is good enough for the (unsaved) user: asked for, or a line of the input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The two are not the same.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return password


@contextmanager
def problems_in_words() -> Iterator[None]:
    """Have a command end with a sentence where a service refuses."""
    try:
        yield
    except ProblemError as error:
        messages = [text for texts in error.extra.get("errors", {}).values() for text in texts]
        raise CommandError(" ".join(messages) or str(error)) from error

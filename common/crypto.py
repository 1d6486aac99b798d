"""Secrets at rest: authenticated encryption with keys that can be rotated without a stop."""

import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UndecipherableError(Exception):
    """The value was written with a key that ENCRYPTION_KEYS no longer has, or was tampered with."""


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def key_id() -> str:
    """Answer the name of the current key: the first 12 hex digits of its SHA-256, which reveal nothing of it."""
    return hashlib.sha256(settings.ENCRYPTION_KEYS[0].encode()).hexdigest()[:12]


def encrypt(value: Any) -> str:
    """Answer the JSON value under the current key, as text."""
    return _cipher().encrypt(json.dumps(value, separators=(",", ":")).encode()).decode()


def decrypt(token: str) -> Any:
    """Answer the value that `encrypt` was given; raises UndecipherableError."""
    try:
        return json.loads(_cipher().decrypt(token.encode()))
    except InvalidToken as error:
        raise UndecipherableError("written with a key that ENCRYPTION_KEYS no longer names") from error


def rotate(token: str) -> str:
    """Answer the same value under the current key; raises UndecipherableError."""
    try:
        return _cipher().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise UndecipherableError("written with a key that ENCRYPTION_KEYS no longer names") from error

"""Columns of our own."""

from typing import Any

from django.db import models

from common import crypto


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]  # takes no parameters at run time
    """JSON that the database sees only encrypted; can't be searched. Values are what `json` takes."""

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else crypto.encrypt(value)

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Any:
        return None if value is None else crypto.decrypt(value)

    def to_python(self, value: Any) -> Any:
        return value

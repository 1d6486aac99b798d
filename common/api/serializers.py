"""DRF's serializers, but strict: a value of another JSON type is refused, not converted, and so is an unknown field.

Use it as `from common.api import serializers`; the names are DRF's.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from rest_framework import serializers as drf
from rest_framework.serializers import (
    DateField,
    DateTimeField,
    DictField,
    EmailField,
    FileField,
    FloatField,
    SerializerMethodField,
    SkipField,
    URLField,
    UUIDField,
    ValidationError,
)

__all__ = [
    "BooleanField",
    "CharField",
    "ChoiceField",
    "CommaListField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DictField",
    "EmailField",
    "FileField",
    "FloatField",
    "IntegerField",
    "JSONObjectField",
    "ListField",
    "QuerySerializer",
    "Serializer",
    "SerializerMethodField",
    "URLField",
    "UUIDField",
    "ValidationError",
    "VersionSerializer",
]

INT32_MAX = 2**31 - 1
# Of a body that is all wrong, so many of its unknown fields are named.
_UNKNOWN_NAMED = 50
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,10}")


class CharField(drf.CharField):
    """Text. Spaces around it are kept out of the value, as DRF does, but count for its length."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            raise ValidationError(f"Ensure this field has no more than {self.max_length} characters.")
        return super().to_internal_value(data)


class IntegerField(drf.IntegerField):
    """A whole number as JSON writes it; within 32 bits unless said otherwise, since the columns are."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", -INT32_MAX - 1)
        kwargs.setdefault("max_value", INT32_MAX)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(self.parent, QuerySerializer) and isinstance(data, str) and _WHOLE_NUMBER.fullmatch(data):
            data = int(data)
        if isinstance(data, float) and data.is_integer():
            data = int(data)  # 1.0 is an integer in JSON Schema
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(data)


class BooleanField(drf.BooleanField):
    """`true` or `false`."""

    TRUE_VALUES = {True}
    FALSE_VALUES = {False}
    NULL_VALUES = {None}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(self.parent, QuerySerializer):
            data = {"true": True, "false": False}.get(data)
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChoiceField(drf.ChoiceField):
    """One of a list, written exactly so."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class DecimalField(drf.DecimalField):
    """An exact number, in and out as text: what JSON calls a number loses digits on its way through most programs."""

    default_error_messages = {"text": 'Send this number as text, such as "0.1200".'}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("text")
        return super().to_internal_value(data)


class ListField(drf.ListField):
    """Several values. Too many are refused before any is looked at: each that is wrong would be said to be."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            raise ValidationError(f"Ensure this field has no more than {self.max_length} elements.")
        return super().to_internal_value(data)


class JSONObjectField(drf.JSONField):
    """An object whose members are the client's own; at most `max_bytes` of JSON."""

    default_error_messages = {"object": "Expected an object.", "large": "At most {max_bytes} bytes of JSON."}

    def __init__(self, *, max_bytes: int = 16384, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_bytes = max_bytes

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("object")
        if len(json.dumps(data, ensure_ascii=False).encode()) > self.max_bytes:
            self.fail("large", max_bytes=self.max_bytes)
        return data


class CommaListField(drf.Field[Any, Any, Any, Any]):
    """Several of a list, joined by commas, as query parameters have them: `id,name`."""

    default_error_messages = {
        "invalid": "Expected names joined by commas.",
        "choice": "There is no {name}.",
        "doubled": "{name} stands twice.",
    }

    def __init__(self, *, choices: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = list(choices)

    def to_internal_value(self, data: Any) -> list[str]:
        names = data.split(",") if isinstance(data, str) else self.fail("invalid")
        for place, name in enumerate(names):
            if name not in self.choices:
                self.fail("choice", name=name)
            if name in names[:place]:
                self.fail("doubled", name=name)
        return list(names)

    def to_representation(self, value: Any) -> Any:
        return ",".join(value)


def _flag(value: Any) -> bool:
    return value if value.__class__ is bool else bool(value)


def _moment(field: drf.DateTimeField) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        # All times are UTC here, and so is the time zone that DRF would turn them to.
        if value.__class__ is datetime and value.tzinfo is UTC:
            return f"{value.replace(tzinfo=None).isoformat()}Z"
        return field.to_representation(value)

    return write


def _amount(field: drf.DecimalField) -> Callable[[Any], Any]:
    point = -(field.decimal_places or 0) - 1

    def write(value: Any) -> Any:
        # As columns give it: what has its places already needs no rounding.
        if value.__class__ is Decimal and (text := f"{value:f}")[point : point + 1] == ".":
            return text
        return field.to_representation(value)

    return write


def _choice(field: drf.ChoiceField) -> Callable[[Any], Any]:
    known = field.choice_strings_to_values
    return lambda value: known.get(str(value), value)


# How values of DRF's kinds of field are written, as DRF does but without looking at the field each time.
_WRITERS: dict[type, Callable[[Any], Callable[[Any], Any]]] = {
    CharField: lambda _field: str,
    IntegerField: lambda _field: int,
    UUIDField: lambda _field: str,
    BooleanField: lambda _field: _flag,
    ChoiceField: _choice,
    DateTimeField: _moment,
    DecimalField: _amount,
}


def _writer_of(field: Any) -> Callable[[Any], Any]:
    """Answer what writes a value of the field that isn't None."""
    kind = _WRITERS.get(field.__class__)
    found: Callable[[Any], Any] = field.to_representation if kind is None else kind(field)
    return found


class Serializer(drf.Serializer[Any]):
    """Input and output. As input it refuses fields that it doesn't have, and those that are read-only."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Answer what DRF would; of a dict in a third of the time, as each field's way is chosen once for all rows."""
        if instance.__class__ is not dict:
            return super().to_representation(instance)
        made: dict[str, Any] = {}
        for name, field, write in self._writers:
            if write is not None and name in instance:
                value = instance[name]
                made[name] = None if value is None else write(value)
                continue
            with suppress(SkipField):
                value = field.get_attribute(instance)
                made[name] = None if value is None else field.to_representation(value)
        return made

    @cached_property
    def _writers(self) -> list[tuple[str, Any, Callable[[Any], Any] | None]]:
        """Answer the fields to be written: how, where a member of a dict is all that it takes."""
        fields = [(name, field) for name, field in self.fields.items() if not field.write_only]
        return [(name, field, _writer_of(field) if field.source == name else None) for name, field in fields]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [name for name in data if name not in known]
            if unknown:
                raise ValidationError({name: ["There is no such field."] for name in unknown[:_UNKNOWN_NAMED]})
        return super().to_internal_value(data)


class VersionSerializer(Serializer):
    """What a change of a versioned resource may carry: the version that the client saw."""

    version = IntegerField(required=False, min_value=1, help_text="The version that you saw, unless If-Match names it.")


class QuerySerializer(Serializer):
    """Query parameters: text, which number and boolean fields read in the one way that JSON writes them."""

"""What the API writes is what DRF would write, whichever way a row comes."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from rest_framework import serializers as drf

from common.api import serializers


class Grade(StrEnum):
    """What a choice may be in Python."""

    GOOD = "GOOD"


class Step(serializers.Serializer):
    """A row within a row."""

    price = serializers.DecimalField(max_digits=12, decimal_places=4)


class Row(serializers.Serializer):
    """One of each kind of field."""

    id = serializers.UUIDField()
    text = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()
    flag = serializers.BooleanField()
    grade = serializers.ChoiceField(choices=["GOOD", ""], allow_null=True)
    price = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    steps = serializers.ListField(child=Step())
    note = serializers.CharField(required=False)
    secret = serializers.CharField(write_only=True)


PLAIN: dict[str, Any] = {
    "id": UUID(int=7), "text": "Straße", "count": 3, "flag": True, "grade": "GOOD", "price": Decimal("0.1200"),
    "at": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "steps": [{"price": Decimal("1.0000")}], "note": "x",
}  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"text": None, "grade": None, "price": None, "at": None},
        {"grade": Grade.GOOD, "count": True, "flag": 0},
        {"grade": "", "text": "", "steps": []},
        {"grade": "UNKNOWN", "text": 7},
        {"price": Decimal("1E+2")},
        {"price": Decimal("0.123456")},
        {"price": "2.5"},
        {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))},
        {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
    ],
)
def test_a_row_is_written_as_drf_writes_it(values: dict[str, Any]) -> None:
    row = {**PLAIN, **values}
    assert Row().to_representation(row) == drf.Serializer.to_representation(Row(), row)


def test_a_member_that_need_not_be_there_is_left_out() -> None:
    row = {name: value for name, value in PLAIN.items() if name != "note"}
    written = Row().to_representation(row)
    assert "note" not in written
    assert "secret" not in written
    assert written == drf.Serializer.to_representation(Row(), row)

"""The command that proves the books."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from inventory.testing import make_lot

pytestmark = pytest.mark.django_db


def _said() -> str:
    out = io.StringIO()
    call_command("verify_stock", stdout=out)
    return out.getvalue()


def test_says_that_the_books_are_right() -> None:
    make_lot()
    assert "the books are right" in _said()


def test_names_the_lot_that_differs_and_fails() -> None:
    lot = make_lot(qty=3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_inventoryitem SET qty_available = 4 WHERE id = %s", [lot.pk])
    with pytest.raises(CommandError, match="1 lots differ"):
        _said()


def test_knows_no_other_schema() -> None:
    with pytest.raises(CommandError, match="no shop in nowhere"):
        call_command("verify_stock", "nowhere")

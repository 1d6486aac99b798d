"""What is typed into a cell: numbers as people write them, and sums from what is there."""

from decimal import Decimal

import pytest

from inventory.arithmetic import ArithmeticEntryError, worked_out


@pytest.mark.parametrize(
    ("entry", "price"),
    [
        ("0,5", "0.5000"),
        ("0.1234", "0.1234"),
        ("1,234", "1.2340"),
        ("1,204.50", "1204.5000"),
        ("1.204,5", "1204.5000"),
        ("1,234,567", "1234567.0000"),
        ("=40", "40.0000"),
        ("+5%", "2.1000"),
        ("-50%", "1.0000"),
        ("*1,1", "2.2000"),
        ("÷3", "0.6667"),
        (",5", "0.5000"),
    ],
)
def test_a_price(entry: str, price: str) -> None:
    assert worked_out(entry, present=Decimal(2), places=4) == Decimal(price)


@pytest.mark.parametrize(
    ("entry", "pieces"),
    [
        ("1,204", 1204),
        ("1.204", 1204),
        ("2,000", 2000),
        ("+1,000", 1010),
        ("12", 12),
        ("*1.5", 15),
        ("+50%", 15),
        ("/3", 3),
    ],
)
def test_a_number_of_pieces_has_its_thousands_apart_and_no_halves(entry: str, pieces: int) -> None:
    assert worked_out(entry, present=Decimal(10), places=0) == pieces


@pytest.mark.parametrize("entry", ["0,5", "1.5", "+0.5", "=2,50", "5%", "=5%", "1e9", "1,23,4", "--1", "", "=1e999"])
def test_what_is_no_number_of_pieces_is_refused(entry: str) -> None:
    with pytest.raises(ArithmeticEntryError):
        worked_out(entry, present=Decimal(10), places=0)


@pytest.mark.parametrize("entry", ["1,2,3", "1.2.3", "5%", "abc", "/0", "=99999999999999999999999"])
def test_what_is_no_price_is_refused(entry: str) -> None:
    with pytest.raises(ArithmeticEntryError):
        worked_out(entry, present=Decimal(2), places=4)

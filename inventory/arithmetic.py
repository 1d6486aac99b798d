"""Arithmetic in a cell: `+12`, `-3`, `*1.1`, `/2`, `=40` or `40`, from what is there. Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation

_ENTRY = re.compile(r"\s*([+\-*/×÷−=]?)\s*([0-9.,]{1,24})\s*(%?)\s*")
_PLAIN = re.compile(r"[0-9]{1,10}(?:[.,][0-9]{0,6})?|[.,][0-9]{1,6}")
# Thousands apart, as lists show them: `1,204`, `1,204.50`, and `1.204,50`.
_GROUPED = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]{0,6})?|([0-9]{1,3}(?:\.[0-9]{3})+)(,[0-9]{0,6})?")
_FACTORS = ("*", "/")
_SIGNS = {"×": "*", "÷": "/", "−": "-"}
_WHOLE = Decimal(100)
_EXPECTED = "Type a number, or a sum such as +12, -3, *1.1 or =40."


class ArithmeticEntryError(ValueError):
    """What was typed is no number and no sum; the message says what is."""


def worked_out(entry: str, *, present: Decimal, places: int) -> Decimal:
    """Answer the new value, rounded half up to `places`. With a percent sign it is a share of what is there: `+5%`.

    A comma is a decimal point, but where pieces are counted: there it stands between thousands, and halves are refused.
    Raises ArithmeticEntryError; whether the result may be so is for others to say.
    """
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ArithmeticEntryError(_EXPECTED)
    sign, percent = _SIGNS.get(found[1], found[1]), bool(found[3])
    is_count = places == 0 and not percent and sign not in _FACTORS
    digits = _number(found[2], is_count=is_count)
    if percent:
        if sign in ("", "="):
            raise ArithmeticEntryError("Say which way: +5%, -5% or *5%.")
        digits = digits / _WHOLE if sign in _FACTORS else present * digits / _WHOLE
    try:
        match sign:
            case "+":
                value = present + digits
            case "-":
                value = present - digits
            case "*":
                value = present * digits
            case "/":
                value = present / digits
            case _:
                value = digits
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except (DivisionByZero, InvalidOperation):
        raise ArithmeticEntryError("That sum has no result.") from None


def _number(text: str, *, is_count: bool) -> Decimal:
    separators = sum(text.count(each) for each in ".,")
    if is_count or separators > 1:
        if grouped := _GROUPED.fullmatch(text):
            whole, fraction = (grouped[1], grouped[2]) if grouped[1] else (grouped[3], grouped[4])
            number = re.sub("[.,]", "", whole) + (fraction or "").replace(",", ".")
            if not is_count or not (fraction or "").strip(".,0"):
                return Decimal(number)
        if is_count and separators:
            raise ArithmeticEntryError("Pieces are whole numbers.")
    if _PLAIN.fullmatch(text) is None:
        raise ArithmeticEntryError(_EXPECTED)
    return Decimal(text.replace(",", "."))

"""Arithmetic in a cell: `+12`, `-3`, `*1.1`, `/2`, `=40` or `40`, from what is there. Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation

_ENTRY = re.compile(r"\s*([+\-*/×÷−=]?)\s*([0-9]{1,10}(?:[.,][0-9]{0,6})?|[.,][0-9]{1,6})\s*(%?)\s*")
_SIGNS = {"×": "*", "÷": "/", "−": "-"}
_WHOLE = Decimal(100)


class ArithmeticEntryError(ValueError):
    """What was typed is no number and no sum; the message says what is."""


def worked_out(entry: str, *, present: Decimal, places: int) -> Decimal:
    """Answer the new value, rounded half up to `places`. With a percent sign it is a share of what is there: `+5%`.

    Raises ArithmeticEntryError; whether the result may be so is for others to say.
    """
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ArithmeticEntryError("Type a number, or a sum such as +12, -3, *1.1 or =40.")
    sign, digits, percent = _SIGNS.get(found[1], found[1]), Decimal(found[2].replace(",", ".")), bool(found[3])
    if percent:
        digits = present * digits / _WHOLE if sign in "+-" else digits / _WHOLE
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

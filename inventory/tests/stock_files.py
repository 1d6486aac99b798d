"""Lots for the tests of file formats: as a row makes them, and of any kind that a store can hold."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from catalog import colors
from inventory import formats
from inventory.formats.base import Lot, LotRow, Reading, RowProblem, UnreadableFile

WIRE = Path(__file__).parent / "wire"
ADDED = datetime(2024, 1, 1, tzinfo=UTC)
BLANK = Lot(
    id="0190f3f0-0000-7000-8000-000000000001",
    item_type="PART",
    item_no="3001",
    item_name="",
    category_name="",
    color_id=5,
    color_name="Red",
    condition="NEW",
    completeness=None,
    sub_condition=None,
    qty_available=0,
    qty_reserved=0,
    unit_price=Decimal(0),
    currency="EUR",
    cost_basis=None,
    sale_percent=0,
    bulk=1,
    tier_prices=[],
    description="",
    remarks="",
    is_retain=False,
    is_stock_room=False,
    stock_room_id="",
    weight_grams=None,
    low_stock_threshold=None,
    reserved_for="",
    acquired_from="",
    date_added=ADDED,
    last_sold_at=None,
    bricklink_lot_id=None,
    locations=[],
    extra={},
)


def read(code: str, data: bytes | str, **options: Any) -> tuple[list[LotRow], list[RowProblem], Reading]:
    """Answer the rows, the problems and the reading of a file; a cut-off file's error is its last problem."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    reading = formats.get(code).read(stream, **options)
    rows: list[LotRow] = []
    problems: list[RowProblem] = []
    try:
        for found in reading:
            (rows if isinstance(found, LotRow) else problems).append(found)  # type: ignore[arg-type]  # told apart by the test
    except UnreadableFile as error:
        problems.append(RowProblem(error.extra.get("line", 0), f"UNREADABLE {error.detail}"))
    return rows, problems, reading


def written(code: str, lots: list[Lot], **options: Any) -> bytes:
    """Answer the file of the lots."""
    return b"".join(formats.get(code).write(iter(lots), currency="EUR", **options))


def as_lot(row: LotRow) -> Lot:
    """Answer the lot that an import makes of a row."""
    values = {key: value for key, value in row.values.items() if key not in ("qty", "qty_delta", "is_deleted")}
    color = colors.get(values.get("color_id"))
    values["color_name"] = color.name if color else ""
    return replace(BLANK, **{"color_id": None, **values}, qty_available=row.values.get("qty", 0), extra=dict(row.extra))


_texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], include_characters="\n\t"), max_size=60)
_words = st.one_of(
    st.sampled_from(
        ["A-03-2", "=1+1", "'=1", "-5", "+3", "@x", "\t=x", "<b>&amp;</b>", 'a "b", c;d', " x ", "&lt;", "0x1"]
    ),
    _texts,
)
_prices = st.decimals(min_value=0, max_value=99_999, places=4, allow_nan=False, allow_infinity=False)
_moments = st.integers(0, 2 * 10**15).map(lambda microseconds: ADDED + timedelta(microseconds=microseconds - 10**15))


@st.composite
def any_lot(draw: st.DrawFn, *, places: int = 4, is_trimmed: bool = False) -> Lot:
    """Answer a lot as the database can hold it. `places`: of its prices; `is_trimmed`: no text has blank edges."""
    quantum = Decimal(1).scaleb(-places)

    def price() -> Decimal:
        return draw(_prices).quantize(quantum)

    def text() -> str:
        found = draw(_words)
        return found.strip() if is_trimmed else found

    kind = draw(st.sampled_from(["PART", "PART", "PART", "SET", "MINIFIG", "GEAR", "CUSTOM", "BOX"]))
    color = draw(st.sampled_from([1, 5, 11, 86])) if kind == "PART" else None
    condition = draw(st.sampled_from(["NEW", "USED"]))
    completeness = None
    if kind == "SET":
        completeness = draw(st.sampled_from(["COMPLETE", "INCOMPLETE", *(["SEALED"] if condition == "NEW" else [])]))
    room = draw(st.sampled_from(["", "A", "B", "C"]))
    quantities = sorted(draw(st.sets(st.integers(2, 9999), max_size=3)))
    return replace(
        BLANK,
        item_type=kind,
        item_no=draw(st.from_regex(r"[0-9a-z]{1,12}(-1)?", fullmatch=True)),
        item_name=text()[:300],
        category_name=text()[:200],
        color_id=color,
        color_name=colors.all_colors()[color].name if color else "",
        condition=condition,
        completeness=completeness,
        sub_condition=draw(st.sampled_from([None, "LIKE_NEW", "GOOD", "ACCEPTABLE"])) if condition == "USED" else None,
        qty_available=draw(st.integers(0, 2**31 - 1)),
        unit_price=price(),
        cost_basis=draw(st.one_of(st.none(), st.just(price()))),
        sale_percent=draw(st.integers(0, 100)),
        bulk=draw(st.integers(1, 1000)),
        tier_prices=[(qty, max(price(), quantum)) for qty in quantities],
        description=text(),
        remarks=text(),
        is_retain=draw(st.booleans()),
        is_stock_room=bool(room),
        stock_room_id=room,
        weight_grams=draw(st.one_of(st.none(), st.decimals(0, 99_999, places=4))),
        low_stock_threshold=draw(st.one_of(st.none(), st.integers(0, 9999))),
        reserved_for=text(),
        acquired_from=text(),
        date_added=draw(_moments),
        last_sold_at=draw(st.one_of(st.none(), _moments)),
        bricklink_lot_id=draw(st.one_of(st.none(), st.integers(1, 2**53))),
        locations=draw(
            st.lists(st.tuples(st.from_regex(r"[A-Z]-[0-9]{1,3}", fullmatch=True), st.integers(0, 99)), max_size=3)
        ),
    )

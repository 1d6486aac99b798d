"""A file of stock: shown before anything happens, carried out once, wrong lines beside right ones."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from audit.models import ChangeSet
from common import workspace
from common.errors import Conflict
from common.testing.dying import Killed, dying_at
from inventory import downloads, formats, services
from inventory.choices import FieldPolicy, ImportStatus, QuantityPolicy
from inventory.formats.base import UnreadableFile
from inventory.models import ImportLine, InventoryImport, InventoryItem, InventoryItemLocation, StockMovement
from inventory.queries.filters import Filters
from inventory.services import importing
from inventory.services.importing import Options
from inventory.testing import make_lot
from jobs import runner
from jobs.models import JobRun

pytestmark = pytest.mark.django_db


def item(**tags: Any) -> str:
    """Answer an <Item> of a BrickStore file."""
    chosen = {"ItemID": "3001", "ItemTypeID": "P", "ColorID": 5, "Qty": 10, "Price": "0.12", "Condition": "N", **tags}
    return "<Item>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in chosen.items() if text is not None) + "</Item>"


def bsx(*items: str, currency: str = "EUR") -> bytes:
    """Answer a BrickStore file."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE BrickStoreXML>\n<BrickStoreXML>\n'
        f'<Inventory Currency="{currency}">\n' + "\n".join(items) + "\n</Inventory>\n</BrickStoreXML>\n"
    ).encode()


def preview(content: bytes, **options: Any) -> InventoryImport:
    """Take a file in and read it; celery runs eagerly, so the preview is there at once."""
    run = importing.start_import(
        file=io.BytesIO(content), file_name="stock.bsx", options=Options(**options), now=timezone.now()
    )
    _finish_jobs()
    run.refresh_from_db()
    return run


def carry_out(run: InventoryImport) -> InventoryImport:
    """Approve the preview and let its job run."""
    importing.approve(import_id=run.pk, now=timezone.now())
    _finish_jobs()
    run.refresh_from_db()
    return run


def imported(content: bytes, **options: Any) -> InventoryImport:
    """Import a file without a look."""
    run = carry_out(preview(content, **options))
    assert run.status == ImportStatus.COMPLETED, run.error_message
    return run


def _finish_jobs() -> None:
    for job_id in JobRun.objects.filter(status="PENDING").order_by("id").values_list("id", flat=True):
        runner.run_job(job_id=job_id, with_heartbeat=False)


def _lots() -> list[tuple[str, int | None, int, Decimal, str]]:
    rows = InventoryItem.objects.order_by("id")
    return list(rows.values_list("item_no", "color_id", "qty_available", "unit_price", "remarks"))


def test_a_preview_changes_nothing() -> None:
    run = preview(bsx(item(), item(ItemID="3003", Qty=4)))
    assert run.status == ImportStatus.PREVIEW
    assert run.counts == {"rows": 2, "NEW": 2}
    assert not InventoryItem.objects.exists()


def test_importing_adds_lots_in_the_order_of_the_file_with_their_first_movements() -> None:
    imported(bsx(item(Remarks="A-01-1"), item(ItemID="3003", Qty=4), item(ItemID="3004", Qty=0)))
    assert [(no, qty) for no, _, qty, _, _ in _lots()] == [("3001", 10), ("3003", 4), ("3004", 0)]
    assert list(StockMovement.objects.order_by("id").values_list("kind", "delta_available")) == [
        ("IMPORT", 10),
        ("IMPORT", 4),
    ]
    assert services.verify_stock() == []
    assert set(InventoryItem.history.values_list("history_type", flat=True)) == {"+"}


def test_the_same_file_again_changes_nothing() -> None:
    content = bsx(item(LotID=7), item(Remarks="x"), item(Remarks="y"), item(Price="0.13"), item(TQ1=10, TP1="0.1"))
    imported(content)
    before = list(InventoryItem.objects.order_by("id").values())
    again = imported(content)
    assert again.counts == {"rows": 5, "EQUAL": 5}
    assert list(InventoryItem.objects.order_by("id").values()) == before
    assert again.change_set_id is not None
    assert not ChangeSet.objects.filter(pk=again.change_set_id).exists()


def test_equal_lots_stay_two_lots_and_are_told_apart_again() -> None:
    imported(bsx(item(), item()))
    run = imported(bsx(item(), item(Qty=20), item(Qty=30)))
    assert run.counts == {"rows": 3, "EQUAL": 1, "CHANGED": 1, "NEW": 1}
    assert [qty for _, _, qty, _, _ in _lots()] == [10, 20, 30]


def test_lots_are_matched_by_the_most_agreement_first() -> None:
    first = make_lot(remarks="A-1", unit_price=Decimal("0.50"))
    second = make_lot(remarks="A-2", unit_price=Decimal("0.12"))
    imported(bsx(item(Remarks="A-2", Qty=1), item(Remarks="A-1", Qty=2)))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.qty_available, first.unit_price) == (2, Decimal("0.12"))
    assert second.qty_available == 1


@pytest.mark.parametrize(
    ("options", "qty", "price", "outcome"),
    [
        ({}, 10, "0.1200", "CHANGED"),
        ({"quantity": QuantityPolicy.ADD, "fields": FieldPolicy.KEEP}, 13, "0.5000", "MERGED"),
        ({"quantity": QuantityPolicy.KEEP}, 3, "0.1200", "CHANGED"),
        ({"quantity": QuantityPolicy.KEEP, "fields": FieldPolicy.KEEP}, 3, "0.5000", "EQUAL"),
        ({"quantity": QuantityPolicy.KEEP, "fields": FieldPolicy.FILL}, 3, "0.5000", "CHANGED"),
    ],
)
def test_the_policy_says_what_becomes_of_lots_that_are_there(
    options: dict[str, Any], qty: int, price: str, outcome: str
) -> None:
    lot = make_lot(qty=3, unit_price=Decimal("0.50"), item_name="Mine")
    run = imported(bsx(item(ItemName="Theirs", Remarks="new remark")), **options)
    lot.refresh_from_db()
    assert (lot.qty_available, str(lot.unit_price)) == (qty, price)
    assert run.counts == {"rows": 1, outcome: 1}
    if options.get("fields") == FieldPolicy.FILL:
        assert (lot.item_name, lot.remarks) == ("Mine", "new remark")


def test_lots_that_are_not_to_be_added_are_left_out_with_the_reason() -> None:
    run = imported(bsx(item()), create_new=False)
    assert run.counts == {"rows": 1, "SKIPPED": 1}
    assert "none is to be added" in ImportLine.objects.get(run=run).message


def test_wrong_lines_never_stop_right_ones() -> None:
    run = imported(
        bsx(
            item(),
            item(ColorID=99999),
            item(Qty=-3),
            item(Price="1e308"),
            item(Condition="X"),
            item(ItemID=""),
            item(Qty=10**30),
            item(LotID=5, Remarks="first"),
            item(LotID=5, Remarks="second"),
            item(ItemID="3003"),
        )
    )
    assert run.counts == {"rows": 10, "NEW": 3, "PROBLEM": 7}
    problems = ImportLine.objects.filter(run=run, outcome="PROBLEM").order_by("position")
    assert all(problem.line > 0 and problem.message for problem in problems)
    assert [lot[0] for lot in _lots()] == ["3001", "3001", "3003"]


def test_a_file_that_is_cut_off_gives_what_came_before() -> None:
    content = bsx(item(), item(ItemID="3003"), item(ItemID="3004"))
    run = imported(content[: content.index(b"3004")])
    assert run.counts["NEW"] == 2
    assert "can't be read from here on" in ImportLine.objects.get(run=run, outcome="PROBLEM").message


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"%PDF-1.7 whatever", "a PDF"), (b"", "empty"), (b"\x89PNG\r\n\x1a\n0000", "PNG"), (b"<html><body>", "web page")],
)
def test_a_file_that_is_none_of_stock_is_refused_with_what_it_is(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        preview(content)
    assert not InventoryImport.objects.exists()


def test_another_currency_waits_for_a_rate() -> None:
    run = preview(bsx(item(Price="1.00"), currency="USD"))
    assert run.status == ImportStatus.MAPPING
    importing.answer_questions(import_id=run.pk, options=Options(currency_rate=Decimal("0.9")), now=timezone.now())
    _finish_jobs()
    run.refresh_from_db()
    carry_out(run)
    lot = InventoryItem.objects.get()
    assert (lot.unit_price, lot.currency) == (Decimal("0.9000"), workspace.current().currency)


def test_pieces_that_were_promised_since_the_preview_stay_promised() -> None:
    lot = make_lot(qty=10)
    run = preview(bsx(item(Qty=12)))
    services.reserve_stock(needs=[services.Need(lot.pk, 8, "order")], now=timezone.now())
    carry_out(run)
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (4, 8)


def test_a_line_that_clashes_since_the_preview_becomes_a_problem_alone() -> None:
    lot, other = make_lot(qty=10), make_lot(qty=10, item_no="3003")
    run = preview(bsx(item(Qty=2), item(ItemID="3003", Qty=5)))
    services.adjust_stock(lot_id=lot.pk, qty_available=3, now=timezone.now())
    carry_out(run)
    other.refresh_from_db()
    assert other.qty_available == 5
    [problem] = ImportLine.objects.filter(run=run, outcome="PROBLEM")
    assert "changed since the preview" in problem.message


def test_a_double_press_carries_out_once() -> None:
    run = preview(bsx(item()))
    carry_out(run)
    carry_out(run)
    assert InventoryItem.objects.count() == 1
    with pytest.raises(Conflict):
        importing.read_again(import_id=run.pk, options=Options(), now=timezone.now())


def test_an_import_key_brings_one_import() -> None:
    for _ in range(2):
        importing.start_import(
            file=io.BytesIO(bsx(item())), file_name="a.bsx", options=Options(), key="form-1", now=timezone.now()
        )
    assert InventoryImport.objects.count() == 1


@pytest.mark.parametrize("kill_at", range(1, 8))
def test_an_import_whose_worker_is_killed_ends_as_an_undisturbed_one(
    kill_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.services.importing.applying.CHUNK", 3)
    make_lot(qty=1, item_no="n4", remarks="")
    run = preview(bsx(*(item(ItemID=f"n{number}", Qty=number + 1) for number in range(10))))
    importing.approve(import_id=run.pk, now=timezone.now())
    job = JobRun.objects.get(job_type="import_apply")
    with dying_at(kill_at, "inventory.import_chunk", "jobs.checkpoint"), pytest.raises(Killed):
        runner.run_job(job_id=job.pk, with_heartbeat=False)
    JobRun.objects.filter(pk=job.pk).update(status="PENDING")
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    run.refresh_from_db()
    assert run.status == ImportStatus.COMPLETED
    assert sorted((no, qty) for no, _, qty, _, _ in _lots()) == [(f"n{number}", number + 1) for number in range(10)]
    assert StockMovement.objects.filter(kind="IMPORT").count() == 10
    assert services.verify_stock() == []


def _exported(code: str = "bsx") -> bytes:
    made = downloads.as_file(Filters(), file_format=formats.get(code), now=timezone.now())
    return b"".join(cast("Iterator[bytes]", made.streaming_content))


def test_a_brickstore_file_comes_back_as_it_was() -> None:
    imported(
        bsx(
            item(
                ItemName="Brick 2 x 4", ColorName="Red", Remarks="A &amp; B", Comments="nice", LotID=12, Bulk=2, Sale=5
            ),
            item(ItemID="75192-1", ItemTypeID="S", ColorID=0, Condition="U", SubCondition="C", MarkerText="check"),
            item(TQ1=10, TP1="0.1", TQ2=50, TP2="0.09", Stockroom="B", Retain="", Reserved="bob", Cost="0.05"),
        )
    )
    first = _exported()
    InventoryItem.objects.all().delete()
    imported(first)
    assert _exported() == first
    for text in (b"A &amp; B", b"<MarkerText>check", b"<LotID>12", b"<Reserved>bob"):
        assert text in first


def test_places_of_the_file_are_made_and_filled() -> None:
    lot = make_lot(qty=10)
    run = preview(bsx(item()))
    ImportLine.objects.filter(run=run).update(outcome="CHANGED", locations=[["B-2", 4], ["B-10", None]])
    carry_out(run)
    placed = InventoryItemLocation.objects.filter(inventory_item=lot).order_by("location__route_key")
    assert list(placed.values_list("location__code", "qty")) == [("B-2", 4), ("B-10", 6)]
    lot.refresh_from_db()
    assert lot.location_key.endswith("b-0000000002")


def test_a_file_of_every_field_comes_back_byte_by_byte() -> None:
    content = (Path(__file__).parent / "wire" / "bsx" / "every_field.bsx").read_bytes()
    run = imported(content, with_excluded=True)
    assert "PROBLEM" not in run.counts, list(ImportLine.objects.filter(run=run).values_list("line", "message"))
    assert _exported() == content


def test_locations_are_read_out_of_remarks_if_one_likes() -> None:
    run = preview(bsx(item(Remarks="A-03-2"), item(ItemID="3003", Remarks="just a note")), read_locations=True)
    carry_out(run)
    placed = InventoryItemLocation.objects.values_list("location__code", "location__zone", "qty")
    assert list(placed) == [("A-03-2", "A", 10)]
    assert services.verify_stock() == []

"""Orders by file: shown before anything happens, taken over whole or not at all, and once."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.errors import Conflict
from common.testing.dying import Killed, dying_at
from common.testing.people import make_user
from inventory.formats.base import UnreadableFile
from inventory.models import InventoryItem
from inventory.services import verify_stock
from inventory.testing import make_lot
from inventory.tests.test_formats_columns import workbook
from jobs import runner
from jobs import services as jobs
from jobs.models import JobRun
from orders import services
from orders.choices import FileOutcome
from orders.downloads import as_csv
from orders.files import columns
from orders.models import Buyer, FileOrder, Order, OrderFile, OrderLine
from orders.queries import files as queries
from orders.queries.exporting import Per
from orders.queries.filters import Filters
from orders.services import files
from orders.testing import arrive, incoming, incoming_line, make_store, type_in

pytestmark = pytest.mark.django_db

HEAD = ("Order", "Placed", "Buyer", "E-mail", "Street", "City", "Country", "Shipping", "Payment")
LINE = ("Type", "Item number", "Color", "Condition", "Pieces", "Price", "Remarks")
PLACED = datetime(2026, 3, 11, 14, 30, tzinfo=UTC)
ONE = ("A-1", "2026-03-11 14:30", "Ana", "ana@example.com", "Weg 1", "Berlin", "Germany", "4.50", "Paid")
BRICK = ("Part", "3001", "Red", "New", "12", "0.12", "")


def table(*rows: Iterable[str], columns: Iterable[str] = (*HEAD, *LINE), delimiter: str = ",") -> bytes:
    """Answer a CSV file of these rows."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([list(columns), *map(list, rows)])
    return text.getvalue().encode()


def order(*line: str, **said: str) -> tuple[str, ...]:
    """Answer a row: an order's as `ONE`, but for what is said otherwise, and a line's as `BRICK`."""
    head = {**dict(zip(HEAD, ONE, strict=True)), **{name.replace("_", "-"): text for name, text in said.items()}}
    return (*head.values(), *(line or BRICK))


def finish_jobs() -> None:
    for job_id in JobRun.objects.filter(status="PENDING").order_by("id").values_list("id", flat=True):
        runner.run_job(job_id=job_id, with_heartbeat=False)


def preview(content: bytes, name: str = "orders.csv") -> OrderFile:
    """Take a file in and read it."""
    run = files.start_file(file=io.BytesIO(content), file_name=name, now=timezone.now())
    finish_jobs()
    run.refresh_from_db()
    return run


def carry_out(run: OrderFile, **choices: Any) -> OrderFile:
    """Approve a preview and let its job run."""
    files.approve(file_id=run.pk, now=timezone.now(), **choices)
    finish_jobs()
    run.refresh_from_db()
    assert run.status == "COMPLETED", run.error_message
    return run


def imported(content: bytes, **choices: Any) -> OrderFile:
    """Import a file without a look."""
    return carry_out(preview(content), **choices)


def outcomes(run: OrderFile) -> dict[str, int]:
    return {name: count for name, count in run.counts.items() if name.isupper()}


def failure(run: OrderFile) -> str:
    """Answer why a file couldn't be read, as its job says."""
    found = queries.get_file(run.pk)
    assert found.standing == "FAILED"
    assert found.read_job is not None
    files.end_file(job_id=found.read_job.pk, status="FAILED", now=timezone.now())
    found.refresh_from_db()
    assert (found.status, found.file_path) == ("FAILED", "")
    return found.error_message


def problems(run: OrderFile) -> list[tuple[int, str]]:
    rows = FileOrder.objects.filter(file=run, outcome=FileOutcome.PROBLEM).order_by("position")
    return [(each["line"], each["text"]) for row in rows for each in row.problems]


def test_a_preview_says_what_will_come_and_changes_nothing():
    lot = make_lot(qty=20)
    run = preview(table(order(), order("Part", "3023", "Black", "Used", "4", "0.035", "")))
    assert run.status == "PREVIEW"
    assert outcomes(run) == {"NEW": 1}
    assert (run.counts["lines"], run.counts["pieces"], run.counts["unmatched"]) == (2, 16, 1)
    assert run.totals == [{"currency": "EUR", "total": "6.08"}]
    row = FileOrder.objects.get()
    assert row.values["lots"] == [str(lot.pk), None]
    assert not Order.objects.exists()
    lot.refresh_from_db()
    assert lot.qty_available == 20


def test_orders_come_in_with_their_lines_buyers_and_pieces():
    lot = make_lot(qty=20)
    run = imported(table(order(), ("A-1", *[""] * 8, "Part", "3023", "Black", "Used", "4", "0.035", "")))
    made = Order.objects.get()
    assert outcomes(run) == {"NEW": 1}
    assert (made.external_order_id, made.status, made.payment_status) == ("A-1", "PENDING", "PAID")
    assert made.store.channel == "local"
    # The shop's own clock.
    assert made.ordered_at == PLACED
    assert (made.subtotal, made.shipping_cost, made.grand_total) == (Decimal("1.58"), Decimal("4.50"), Decimal("6.08"))
    assert made.ship_to == {"address1": "Weg 1", "city": "Berlin", "country": "DE"}
    assert Buyer.objects.get().email == "ana@example.com"
    first, second = made.lines.order_by("position")
    assert (first.inventory_item_id, first.qty_reserved) == (lot.pk, 12)
    assert (second.item_no, second.color_id, second.condition, second.inventory_item_id) == ("3023", 11, "USED", None)
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (8, 12)
    assert verify_stock() == []
    assert set(Order.history.values_list("history_type", flat=True)) == {"+"}


def test_the_same_file_again_changes_nothing_whatever_was_changed_here_since():
    make_lot(qty=20)
    content = table(order(), order(Order="A-2", Payment="Unpaid"))
    imported(content)
    unpaid = Order.objects.get(external_order_id="A-2")
    services.set_payment(order_id=unpaid.pk, payment_status="PAID", now=timezone.now())
    services.update_order(order_id=unpaid.pk, changes={"ship_to": {"city": "Bonn"}}, now=timezone.now())
    before = list(Order.objects.order_by("id").values()), list(InventoryItem.objects.values())
    run = preview(content)
    assert outcomes(run) == {"EQUAL": 2}
    carry_out(run)
    assert (list(Order.objects.order_by("id").values()), list(InventoryItem.objects.values())) == before


def test_another_version_of_a_file_moves_only_what_differs():
    lot = make_lot(qty=20)
    imported(table(order(), order(Order="A-2")))
    run = preview(table(order("Part", "3001", "Red", "New", "5", "0.12", ""), order(Order="A-2")))
    assert outcomes(run) == {"CHANGED": 1, "EQUAL": 1}
    changes = FileOrder.objects.get(file=run, outcome="CHANGED").values["changes"]
    assert ["3001 Red (line 1)", "12 × 0.12", "5 × 0.12"] in changes
    assert ["Total", "5.94", "5.10"] in changes
    lot.refresh_from_db()
    assert lot.qty_reserved == 20
    carry_out(run)
    lot.refresh_from_db()
    # A-2 is short of four, and gets them as soon as it is told that there are some.
    assert (lot.qty_available, lot.qty_reserved) == (20 - 13, 13)
    assert verify_stock() == []


def test_what_a_file_has_no_columns_for_stays():
    make_lot(qty=20)
    imported(table(order()))
    shorter = ("Order", "Placed", *LINE)
    run = imported(table(("A-1", "2026-03-11", "Part", "3001", "Red", "New", "10", "0.12", ""), columns=shorter))
    assert outcomes(run) == {"CHANGED": 1}
    made = Order.objects.get()
    assert (made.buyer_name, made.ship_to["city"], made.shipping_cost) == ("Ana", "Berlin", Decimal("4.50"))
    assert (made.payment_status, made.subtotal, made.grand_total) == ("PAID", Decimal("1.20"), Decimal("5.70"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (order(Placed="11/03/2026"), "Placed: “11/03/2026” isn't a date that can only mean one day"),
        (order(Placed="2026-02-30"), "Placed: “2026-02-30” isn't a date"),
        (order(Placed="2190-01-01"), "has yet to come"),
        (order(Placed=""), "Placed: say when it was ordered"),
        (order(Country="Atlantis"), "Country: “Atlantis” is no country"),
        (order(E_mail="nobody"), "E-mail: The buyer's e-mail address is none"),
        (order(Shipping="-4"), "Shipping: A price can't be negative"),
        (order(Shipping="=1+1"), "Shipping: “=1+1” isn't a number"),
        (order(Shipping="1.234"), "more than two decimals"),
        (order(Payment="perhaps"), "Payment: “perhaps” is no payment status. There are Unpaid"),
        (order(City="x" * 200), "City: At most 120 characters"),
        (order(Order="n" * 120), "Order: At most 100 characters"),
        (order("Part", "3001", "Red", "New", "-3", "0.12", ""), "Pieces: A number between 1 and 1,000,000"),
        (order("Part", "3001", "Red", "New", "0", "0.12", ""), "Pieces: A number between 1"),
        (order("Part", "3001", "Red", "New", "2.5", "0.12", ""), "isn't a whole number"),
        (order("Part", "3001", "Redd", "New", "1", "0.12", ""), "“Redd” isn't one of BrickLink's colors"),
        (order("Part", "3001", "", "New", "1", "0.12", ""), "A part needs a color"),
        (order("Part", "3001", "Red", "", "1", "0.12", ""), "Say whether it is new or used"),
        (order("Part", "3001", "Red", "New", "1", "", ""), "The price of a piece is missing"),
        (order("Rocket", "3001", "Red", "New", "1", "1", ""), "“Rocket” isn't known here"),
        (order(*[""] * len(LINE)), "No row says what was sold"),
        (order(Order=""), "no order number"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_with_its_line_and_stops_nothing_else(row, words):
    make_lot(qty=50)
    run = imported(table(order(Order="GOOD-1"), row, order(Order="GOOD-2")))
    [(line, text)] = problems(run)
    assert line == 3
    assert words in text
    assert set(Order.objects.values_list("external_order_id", flat=True)) == {"GOOD-1", "GOOD-2"}


def test_one_wrong_line_leaves_its_whole_order_out():
    run = imported(table(order(), order("Part", "3001", "Red", "New", "-3", "0.12", "")))
    assert problems(run)[0][0] == 3
    assert not Order.objects.exists()


def test_rows_of_one_number_that_disagree_are_no_order():
    run = preview(table(order(), order(Order="B"), order(Buyer="Bo", Placed="2026-03-12")))
    assert [line for line, _ in problems(run)] == [4, 4]
    assert "Placed is another one here than in line 2, and both are order A-1" in problems(run)[0][1]
    assert outcomes(run) == {"PROBLEM": 1, "NEW": 1}


def test_numbers_of_other_orders_are_left_to_them():
    lot = make_lot(qty=50)
    typed = type_in((lot, 1))
    theirs = arrive(make_store(), incoming(incoming_line(lot)))
    run = imported(table(order(Order=typed.external_order_id), order(Order=theirs.external_order_id)))
    assert outcomes(run) == {"KEPT": 1, "PROBLEM": 1}
    [(line, text)] = problems(run)
    assert line == 3
    assert text.startswith("24418822 is an order of Bricks on BrickLink, which brings it up to date itself. Take it")
    assert Order.objects.count() == 2


def test_a_number_that_a_file_took_is_none_that_an_order_typed_in_gets():
    lot = make_lot(qty=50)
    first = type_in((lot, 1))
    imported(table(order(Order=str(first.number + 2))))
    second = type_in((lot, 1))
    assert second.number == first.number + 2
    assert second.external_order_id == f"L-{timezone.localtime():%Y%m%d}-{second.number}"


def test_what_has_become_another_number_since_the_preview_is_left_out():
    lot = make_lot(qty=50)
    run = preview(table(order(), order(Order="A-2")))
    arrive(make_store(), incoming(incoming_line(lot), external_order_id="A-1"))
    run = carry_out(run)
    assert outcomes(run) == {"NEW": 1, "PROBLEM": 1}
    assert "is an order of Bricks on BrickLink" in problems(run)[0][1]


def test_orders_that_have_left_take_their_pieces_unless_told_otherwise():
    lot = make_lot(qty=50)
    columns_of = (*HEAD, "Status", *LINE)
    gone = table((*ONE, "Shipped", *BRICK), columns=columns_of)
    run = preview(gone)
    assert run.counts["gone"] == 1
    carry_out(run)
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (38, 0)
    imported(table(("A-2", *ONE[1:], "Completed", *BRICK), columns=columns_of), leaves_stock=True)
    lot.refresh_from_db()
    assert lot.qty_available == 38
    assert Order.objects.get(external_order_id="A-2").shipped_at == PLACED
    assert verify_stock() == []


def test_a_lot_that_is_named_is_the_lines_and_remarks_tell_equal_lots_apart():
    one, two, three = (make_lot(qty=50, remarks=remarks) for remarks in ("A-1", "A-2", "A-3"))
    row = order("Part", "3001", "Red", "New", "1", "0.12", "A-2")
    run = imported(
        table((*order(Order="X"), str(three.pk)), (*row, ""), (*order(Order="Y"), str(one.pk)),
              (*order(Order="Z"), "what"), columns=(*HEAD, *LINE, "Lot"))
    )  # fmt: skip
    of = dict(Order.objects.values_list("external_order_id", "lines__inventory_item"))
    assert of == {"X": three.pk, "A-1": two.pk, "Y": one.pk}
    assert "“what” is no lot of ours" in problems(run)[0][1]


def test_the_shops_own_export_of_lines_is_read_again():
    lot = make_lot(qty=50)
    imported(table(order(), order(Order="A-2", Buyer="=HYPERLINK(1)")))
    typed = type_in((lot, 2))
    services.cancel_order(order_id=Order.objects.get(external_order_id="A-2").pk, now=timezone.now())
    answer = as_csv(Filters({}), per=Per.LINE, now=timezone.now())
    run = preview(b"".join(cast("Iterable[bytes]", answer.streaming_content)))
    assert outcomes(run) == {"EQUAL": 2, "KEPT": 1}
    assert run.ignored == []
    assert FileOrder.objects.get(file=run, outcome="KEPT").number == typed.external_order_id


def exported() -> bytes:
    """Answer our own export of lines."""
    answer = as_csv(Filters({}), per=Per.LINE, now=timezone.now())
    return b"".join(cast("Iterable[bytes]", answer.streaming_content))


def test_an_export_says_nothing_new_of_what_was_solved_here():
    make_lot(qty=10)
    make_lot(qty=2, item_no="3023", color_id=11, condition="USED")
    imported(table(order(), order("Part", "3023", "Black", "Used", "4", "0.035", "", Order="A-2")))
    other = make_lot(qty=5, remarks="B-2")
    covered, dropped = Order.objects.order_by("number")
    services.take_from_lot(order_id=covered.pk, line_id=covered.lines.get().pk, lot_id=other.pk, now=timezone.now())
    services.drop_short(order_id=dropped.pk, line_id=dropped.lines.get().pk, now=timezone.now())
    before = list(OrderLine.objects.order_by("id").values())
    content = exported()
    assert outcomes(preview(content)) == {"EQUAL": 2}
    # What else a file says is taken over, and leaves the lines as they are.
    run = preview(content.replace(b",Ana,", b",Bea,"))
    assert outcomes(run) == {"CHANGED": 2}
    carry_out(run)
    assert set(Order.objects.values_list("buyer_name", flat=True)) == {"Bea"}
    assert list(OrderLine.objects.order_by("id").values()) == before
    assert verify_stock() == []


def test_a_preview_says_which_pieces_will_be_short():
    make_lot(qty=20)
    content = table(order(), order(Order="A-2"), order(Order="A-3", Payment="Unpaid"))
    run = preview(content)
    assert run.counts["short"] == 16
    rows = queries.orders_of(run, outcome=FileOutcome.NEW).rows
    assert [(row.qty_short, [line.qty_there for line in row.lines]) for row in rows] == [(0, [12]), (4, [8]), (12, [0])]
    carry_out(run)
    assert list(OrderLine.objects.order_by("order__number").values_list("qty_short", flat=True)) == [0, 4, 12]
    # And of one that is here already.
    run = preview(table(order("Part", "3001", "Red", "New", "15", "0.12", "")))
    assert run.counts["short"] == 3
    changes = FileOrder.objects.get(file=run).values["changes"]
    assert ["3001 Red (line 1)", "12 × 0.12", "15 × 0.12, 12 of 15 there"] in changes


def test_what_has_left_is_not_short():
    make_lot(qty=2)
    run = preview(table((*ONE, "Shipped", *BRICK), columns=(*HEAD, "Status", *LINE)))
    assert run.counts["short"] == 0


def test_an_export_of_another_shops_channel_orders_comes_in_as_long_as_that_channel_is_not_connected():
    columns_of = (*HEAD, "Channel", *LINE)
    content = table((*ONE, "BrickLink", *BRICK), columns=columns_of)
    assert outcomes(preview(content)) == {"NEW": 1}
    make_store()
    run = preview(content)
    assert "Bricks on BrickLink is connected: its orders come in by themselves" in problems(run)[0][1]


def test_the_template_is_read_as_it_is():
    run = preview(columns.template())
    assert outcomes(run) == {"NEW": 1}
    assert (run.counts["lines"], run.ignored) == (2, [])


def test_semicolons_commas_and_windows_letters_are_understood():
    line = ("Part", "3001", "Red", "New", "2", "0,1234", "")
    row = order(*line, Buyer="Jürgen", City="Köln", Shipping="4,50", Placed="11.03.2026 14:30")
    imported(table(row, delimiter=";").decode().encode("cp1252"))
    made = Order.objects.get()
    assert (made.buyer_name, made.ship_to["city"], made.ordered_at) == ("Jürgen", "Köln", PLACED)
    assert (made.shipping_cost, made.lines.get().unit_price) == (Decimal("4.50"), Decimal("0.1234"))


def test_a_workbook_is_read_with_its_numbers_and_dates():
    serial = (PLACED - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86_400
    cells = [
        f"<c><v>{text}</v></c>" if place in (0, 13, 14) else f'<c s="1"><v>{serial!r}</v></c>' if place == 1
        else f'<c t="inlineStr"><is><t>{text}</t></is></c>'
        for place, text in enumerate(order(Order="1001"))
    ]  # fmt: skip
    names = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in (*HEAD, *LINE))
    content = workbook(f'<row r="1">{names}</row><row r="2">{"".join(cells)}</row>')
    run = imported(content)
    made = Order.objects.get()
    assert outcomes(run) == {"NEW": 1}
    assert (made.external_order_id, made.ordered_at) == ("1001", PLACED)
    assert made.lines.get().qty_ordered == 12


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"%PDF-1.7 and so on", "This is a PDF"),
        (b"\x00\x01\x02" * 300, "bytes without text"),
        (b"hello there", "no file of orders"),
        (b"<html><body>Sign in</body></html>", "a web page"),
        (b"a,b,c\n1,2,3\n", "none of its columns is known"),
        (b"Order,Placed,Item number,Pieces\n1,2,3,4\n", "no column “Condition” and “Price”. Add them"),
        (b"Order,Placed,Buyer,Total\n1,2026-01-01,Ana,3.00\n", "orders without their lines"),
    ],
)
def test_what_is_no_file_of_orders_is_refused_at_once(content, words):
    with pytest.raises(UnreadableFile) as refused:
        preview(content)
    assert words in refused.value.detail
    assert not OrderFile.objects.exists()


def test_a_file_with_nothing_below_its_columns_fails_in_words():
    assert failure(preview(table())) == "The file has no orders: below the columns' names there is nothing."


def test_too_many_orders_are_refused_as_a_whole(monkeypatch):
    monkeypatch.setattr("orders.files.contents.MOST_ORDERS", 2)
    run = preview(table(*(order(Order=f"N{count}") for count in range(3))))
    assert "Line 4: a file may have 2 orders at most" in failure(run)
    assert not FileOrder.objects.exists()


def test_a_worker_that_dies_goes_on_and_nothing_comes_in_twice():
    lot = make_lot(qty=100)
    run = preview(table(*(order(Order=f"N{count}") for count in range(4))))
    files.approve(file_id=run.pk, now=timezone.now())
    job = JobRun.objects.get(job_type=files.APPLY)
    with dying_at(2, "orders.file_order"), pytest.raises(Killed):
        runner.run_job(job_id=job.pk, with_heartbeat=False)
    assert Order.objects.count() == 2
    JobRun.objects.filter(pk=job.pk).update(status="PENDING")
    finish_jobs()
    run.refresh_from_db()
    assert (run.status, Order.objects.count(), outcomes(run)) == ("COMPLETED", 4, {"NEW": 4})
    lot.refresh_from_db()
    assert lot.qty_reserved == 48
    assert verify_stock() == []


def test_pressing_twice_is_one_file_and_one_import():
    first, second = (
        files.start_file(file=io.BytesIO(table(order())), file_name="a.csv", key="k", now=timezone.now())
        for _ in range(2)
    )
    assert first == second
    finish_jobs()
    for _ in range(2):
        files.approve(file_id=first.pk, now=timezone.now())
        finish_jobs()
    assert Order.objects.count() == 1


def test_who_bought_what_is_kept_no_longer_than_the_preview():
    run = files.start_file(file=io.BytesIO(table(order())), file_name="a.csv", now=timezone.now())
    path = run.file_path
    assert default_storage.exists(path)
    finish_jobs()
    run.refresh_from_db()
    assert "ana@example.com" in str(FileOrder.objects.get().values)
    carry_out(run)
    row = FileOrder.objects.get()
    assert (row.values, row.order_id) == ({}, Order.objects.get().pk)
    other = preview(table(order(Order="A-9")))
    files.discard(file_id=other.pk, now=timezone.now())
    assert not FileOrder.objects.filter(file=other).exists()
    with pytest.raises(Conflict):
        files.approve(file_id=other.pk, now=timezone.now())


def test_previews_and_reports_are_forgotten_in_time():
    waiting, done = preview(table(order(Order="W"))), imported(table(order()))
    files.purge(now=timezone.now() + files.receiving.WAITS / 2)
    assert OrderFile.objects.count() == 2
    files.purge(now=timezone.now() + files.receiving.WAITS * 1.5)
    assert list(OrderFile.objects.all()) == [done]
    files.purge(now=timezone.now() + files.receiving.KEPT * 1.5)
    assert not OrderFile.objects.exists()
    assert Order.objects.count() == 1
    assert waiting.pk


def test_a_cancelled_import_keeps_what_came_in_and_goes_on_with_the_same_file():
    content = table(order(), order(Order="A-2"))
    run = preview(content)
    files.approve(file_id=run.pk, now=timezone.now())
    job = JobRun.objects.get(job_type=files.APPLY)
    with dying_at(1, "orders.file_order"), pytest.raises(Killed):
        runner.run_job(job_id=job.pk, with_heartbeat=False)
    jobs.cancel(job_id=job.pk, now=timezone.now())
    files.end_file(job_id=job.pk, status="CANCELLED", now=timezone.now())
    run.refresh_from_db()
    assert run.status == "CANCELLED"
    assert not FileOrder.objects.filter(file=run).exclude(values={}).exists()
    assert outcomes(preview(content)) == {"EQUAL": 1, "NEW": 1}


# --- Pages ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def owner(client):
    client.force_login(make_user(role="owner"))
    return client


def upload(client, content, **values):
    answer = client.post("/orders/import/", {"file": io.BytesIO(content), "key": "k", **values})
    finish_jobs()
    return answer


def test_a_file_goes_from_the_form_to_its_orders(owner):
    make_lot(qty=20)
    answer = upload(owner, table(order(), order(Order="B", Country="Atlantis")))
    page = owner.get(answer["Location"]).content.decode()
    assert "Import 1 order" in page
    assert "€5.94" in page
    assert (
        "Line 3: Country: “Atlantis” is no country"
        in owner.get(f"{answer['Location']}?orders=PROBLEM").content.decode()
    )
    run = OrderFile.objects.get()
    owner.post(f"/orders/import/{run.pk}/approve/")
    finish_jobs()
    page = owner.get(answer["Location"]).content.decode()
    assert "1 order added" in page
    assert "1 with a problem left out" in page
    assert reverse("orders:order", args=[Order.objects.get().pk]) in page


def test_a_file_that_is_none_is_told_beside_the_form(owner):
    answer = upload(owner, b"%PDF-1.4")
    assert answer.status_code == 422
    assert "This is a PDF" in answer.content.decode()


def test_a_page_of_many_orders_asks_no_more_than_one_of_few(owner):
    make_lot(qty=500)
    asked = []
    for count in (2, 20):
        rows = [order(Order=f"N{count}-{number}") for number in range(count)]
        answer = upload(owner, table(*rows), key=str(count))
        owner.get(answer["Location"])
        with CaptureQueriesContext(connection) as queries_of:
            assert f"N{count}-1<" in owner.get(answer["Location"]).content.decode()
        asked.append(len(queries_of))
    assert asked[0] == asked[1]


def test_hostile_text_is_text(owner):
    hostile = '"><script>alert(1)</script>{{ 7|add:7 }}'
    answer = upload(owner, table(order(Order=hostile, Buyer=hostile, Country=hostile), order(Order="B", Buyer=hostile)))
    for tab in ("NEW", "PROBLEM"):
        page = owner.get(f"{answer['Location']}?orders={tab}").content.decode()
        assert "<script>alert(1)" not in page
        assert "{{ 7|add:7 }}" in page


def test_whoever_may_not_type_orders_in_sees_no_button_and_no_page(client):
    client.force_login(make_user(role="readonly"))
    type_in((make_lot(), 1))
    assert "/orders/import/" not in client.get("/orders/?view=all").content.decode()
    assert client.get("/orders/import/").status_code == 403
    client.force_login(make_user(role="staff"))
    assert "/orders/import/" in client.get("/orders/?view=all").content.decode()
    assert client.get("/orders/import/template.csv").content.startswith(b"\xef\xbb\xbfOrder,Placed")

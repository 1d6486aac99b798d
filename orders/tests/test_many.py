"""Many orders at once: all of a filter, by a job whose worker may die; and the orders of a list as a file."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from audit import services as audit
from audit.models import ChangeSet
from common.errors import Invalid
from common.testing.dying import Killed, dying_at
from common.testing.people import make_user
from inventory.testing import make_lot
from jobs import runner
from jobs.models import JobLog, JobRun
from orders import services
from orders.choices import OrderStatus
from orders.models import Order
from orders.queries.selection import chosen_ids
from orders.services import many
from orders.testing import arrive, incoming, incoming_line, make_store, type_in

pytestmark = pytest.mark.django_db
FORMULA = '=HYPERLINK("http://evil.example")'


@pytest.fixture
def owner(client):
    client.force_login(make_user(role="owner"))
    return client


def _pressed(query: str, **values: str) -> dict[str, str]:
    """Answer what the bar sends with all of a filter chosen."""
    return {"all": "1", "query": query, "as_of": timezone.now().isoformat(), **values}


def _finish(job: JobRun) -> str:
    """Run a job to its end; answer what it says."""
    runner.run_job(job_id=job.pk, with_heartbeat=False)
    job.refresh_from_db()
    assert job.result
    return str(job.result["message"])


# --- Which ones -----------------------------------------------------------------------------------------------------
def test_all_of_a_filter_are_those_that_were_there_when_the_list_was_shown():
    lot = make_lot(qty=99)
    first, second = (type_in((lot, 1), buyer_name="Ann") for _ in range(2))
    shown_at = timezone.now()
    type_in((lot, 1), buyer_name="Ann")
    type_in((lot, 1), buyer_name="Ben")

    assert set(chosen_ids("q=ann&sort=-total&size=100", as_of=shown_at, limit=9)) == {first.pk, second.pk}
    with pytest.raises(Invalid, match="more than 1 orders"):
        chosen_ids("q=ann", as_of=shown_at, limit=1)
    with pytest.raises(Invalid, match="No order is left"):
        chosen_ids("q=nobody", as_of=shown_at, limit=9)


@pytest.mark.parametrize("query", ["colour=red", "status=GONE", "q=ann&q=ben"])
def test_a_filter_that_is_not_understood_chooses_nothing(query):
    type_in((make_lot(), 1))
    with pytest.raises(Invalid, match="Nobody knows which orders"):
        chosen_ids(query, as_of=timezone.now(), limit=9)


@pytest.mark.parametrize("as_of", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-03-02T09:00:00"])
def test_a_list_of_which_nobody_knows_when_it_was_shown_is_opened_anew(owner, as_of):
    type_in((make_lot(), 1))
    answer = owner.post("/orders/bulk/", _pressed("tab=todo", do="tag", tag="gift") | {"as_of": as_of})
    assert answer.status_code == 422
    assert not Order.objects.filter(tags=["gift"]).exists()


def test_few_of_a_filter_are_done_at_once_and_more_than_a_page_is_offered_as_a_whole(owner, monkeypatch):
    lot = make_lot(qty=99)
    for _ in range(52):
        type_in((lot, 1), buyer_name="Ann")
    page = owner.get("/orders/?tab=todo&q=ann").content.decode()
    assert "All 52 orders of this filter" in page
    assert "orders of this filter" not in owner.get("/orders/?tab=todo&q=ann&size=100").content.decode()

    monkeypatch.setattr(many, "AT_ONCE", 60)
    assert owner.post("/orders/bulk/", _pressed("q=ann", do="tag", tag="gift")).status_code == 302
    assert Order.objects.filter(tags=["gift"]).count() == 52
    assert owner.post("/orders/bulk/", _pressed("q=ann", do="print", kind="invoices")).status_code == 302
    assert JobRun.objects.get(job_type="print_orders").label == "Invoices of 52 orders"


def test_more_than_can_be_printed_or_put_in_one_parcel_is_refused_and_nothing_begins(owner, monkeypatch):
    monkeypatch.setattr("orders.services.printing.MOST", 1)
    for _ in range(2):
        type_in((make_lot(), 1), buyer_name="Ann")
    answer = owner.post("/orders/bulk/", _pressed("q=ann", do="print", kind="invoices"))
    assert answer.status_code == 422
    assert "more than 1 orders" in answer.content.decode()
    assert not JobRun.objects.exists()


# --- By a job -------------------------------------------------------------------------------------------------------
def test_many_are_moved_by_a_job_that_says_which_stayed_and_is_taken_back_as_one(owner, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 2)
    lot = make_lot(qty=99)
    orders = [type_in((lot, 1), buyer_name="Ann") for _ in range(4)]
    services.cancel_order(order_id=orders[0].pk, now=timezone.now())

    answer = owner.post("/orders/bulk/", _pressed("q=ann", do="status", status="PACKING"))

    job = JobRun.objects.get(job_type=many.MOVE)
    assert answer.headers["Location"] == f"/jobs/{job.pk}/"
    assert job.label == "Set 4 orders to packing"
    assert _finish(job) == "3 orders changed. 1 stayed as it was; the log says why."
    assert orders[0].external_order_id in JobLog.objects.get(job=job, level="WARNING").message
    assert Order.objects.filter(status=OrderStatus.PACKING).count() == 3
    audit.revert(change_set_id=job.pk)
    assert not Order.objects.filter(status=OrderStatus.PACKING).exists()


def test_many_are_tagged_by_a_job(owner, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 2)
    for _ in range(3):
        type_in((make_lot(), 1), buyer_name="Ann")
    owner.post("/orders/bulk/", _pressed("q=ann", do="tag", tag=" for  Ben "))
    assert _finish(JobRun.objects.get(job_type=many.TAG)) == "3 orders changed."
    assert Order.objects.filter(tags=["for Ben"]).count() == 3


@pytest.mark.parametrize("values", [{"status": "CANCELLED"}, {"status": "GONE"}, {"do": "tag", "tag": " "}])
def test_what_cannot_be_done_to_many_starts_no_job(owner, monkeypatch, values):
    monkeypatch.setattr(many, "AT_ONCE", 1)
    for _ in range(2):
        type_in((make_lot(), 1), buyer_name="Ann")
    assert owner.post("/orders/bulk/", _pressed("q=ann", **{"do": "status", **values})).status_code == 422
    assert not JobRun.objects.exists()


def test_who_may_only_look_or_pick_changes_no_more_by_a_filter(client, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 1)
    for _ in range(2):
        type_in((make_lot(), 1), buyer_name="Ann")
    client.force_login(make_user(role="picker"))
    assert client.post("/orders/bulk/", _pressed("q=ann", do="tag", tag="gift")).status_code == 403
    client.force_login(make_user(role="readonly"))
    assert client.post("/orders/bulk/", _pressed("q=ann", do="status", status="PACKING")).status_code == 403
    assert not JobRun.objects.exists()


@pytest.mark.parametrize("kill_at", range(1, 5))
def test_a_job_whose_worker_is_killed_ends_as_an_undisturbed_one(kill_at):
    lot = make_lot(qty=9)
    orders = [type_in((lot, 1)) for _ in range(3)]
    now = timezone.now()
    job_id = services.start_moving(order_ids=[order.pk for order in orders], status="SHIPPED", now=now)

    with dying_at(kill_at, "jobs.checkpoint", "jobs.before_end"), pytest.raises(Killed):
        runner.run_job(job_id=job_id, with_heartbeat=False)
    JobRun.objects.filter(pk=job_id).update(status="PENDING")

    assert _finish(JobRun.objects.get(pk=job_id)) == "3 orders changed."
    assert set(Order.objects.values_list("status", "version")) == {("SHIPPED", 2)}
    lot.refresh_from_db()
    assert (lot.qty_available, lot.qty_reserved) == (6, 0)
    assert ChangeSet.objects.filter(pk=job_id).count() == 1


# --- As a file ------------------------------------------------------------------------------------------------------
def _rows(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_orders_are_a_row_each_and_no_text_is_a_formula(owner):
    red, blue = make_lot(qty=9), make_lot(qty=9, color_id=7)
    told = incoming(
        incoming_line(red, qty=2), incoming_line(blue, qty=3), buyer_name=FORMULA, buyer_note="Zoë 🧱\nline two",
        shipping_cost=Decimal("5.90"), tracking_number="-3S0012",
    )  # fmt: skip
    arrive(make_store(), told)
    type_in((red, 1), buyer_name="Ben")

    answer = owner.get("/orders/export/?rows=orders&status=NEW")
    [row] = _rows(answer)

    assert answer["Content-Disposition"].startswith('attachment; filename="shop-orders-')
    assert (row["Order"], row["Status"], row["Lots"], row["Pieces"]) == ("24418822", "New", "2", "5")
    assert (row["Goods"], row["Shipping"], row["Total"], row["Currency"]) == ("0.60", "5.90", "6.50", "EUR")
    assert (row["Buyer"], row["Tracking number"]) == (f"'{FORMULA}", "'-3S0012")
    assert row["Buyer's note"] == "Zoë 🧱\nline two"
    assert (row["Street"], row["City"], row["Country"]) == ("Musterweg 4", "Berlin", "DE")
    assert len(_rows(owner.get("/orders/export/?rows=orders"))) == 2


def test_lines_are_a_row_each(owner):
    red, blue = make_lot(qty=1), make_lot(qty=9, color_id=7)
    arrive(make_store(), incoming(incoming_line(red, qty=2), incoming_line(blue, qty=3)))

    rows = _rows(owner.get("/orders/export/?rows=lines"))

    assert [
        (row["Order"], row["Line"], row["Item number"], row["Color"], row["Pieces"], row["Short"]) for row in rows
    ] == [
        ("24418822", "1", "3001", "Red", "2", "1"),
        ("24418822", "2", "3001", "Blue", "3", "0"),
    ]
    assert rows[1]["Price"] == "0.1200"


def test_the_chosen_ones_or_all_of_a_filter_are_exported(owner):
    first, second, third = (type_in((make_lot(), 1), buyer_name=name) for name in ("Ann", "Ann", "Ben"))
    ticked = {"ids": [str(first.pk), str(third.pk)], "rows": "orders"}
    assert {row["Our number"] for row in _rows(owner.post("/orders/export/", ticked))} == {
        str(first.number), str(third.number),
    }  # fmt: skip
    whole = _rows(owner.post("/orders/export/", _pressed("q=ann", rows="orders")))
    assert {row["Our number"] for row in whole} == {str(first.number), str(second.number)}


@pytest.mark.parametrize("query", ["rows=boxes", "", "rows=orders&colour=red", "rows=orders&status=GONE"])
def test_a_file_that_nobody_can_mean_is_refused(owner, query):
    type_in((make_lot(), 1))
    assert owner.get(f"/orders/export/?{query}").status_code == 422


def test_an_export_asks_as_often_for_many_orders_as_for_few(owner, django_assert_max_num_queries):
    lot = make_lot(qty=999)
    for _ in range(30):
        type_in((lot, 1))
    for rows in ("orders", "lines"):
        with django_assert_max_num_queries(9):
            assert len(_rows(owner.get(f"/orders/export/?{urlencode({'rows': rows})}"))) == 30


def test_orders_that_came_long_ago_are_in_the_file_of_their_days(owner):
    old = incoming(incoming_line(make_lot()), ordered_at=timezone.now() - timedelta(days=400))
    arrive(make_store(), old)
    type_in((make_lot(), 1))
    since = (timezone.now() - timedelta(days=30)).date().isoformat()
    assert [row["Channel"] for row in _rows(owner.get(f"/orders/export/?rows=orders&since={since}"))] == ["Local"]

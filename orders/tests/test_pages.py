"""Pages of orders: what each role sees and does, hostile text, and what is done to several at once."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from pypdf import PdfReader

from catalog.choices import ImageState
from catalog.models import CatalogImage
from catalog.queries.images import IN_LISTS, SIDES
from common import images
from common.testing.people import make_user
from inventory.testing import make_location, make_lot
from jobs.models import JobRun
from orders import services
from orders.lifecycle import Status
from orders.models import Order
from orders.services import printing
from orders.testing import arrive, incoming, incoming_line, make_store, type_in

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script>{{ 7|add:7 }}'


@pytest.fixture
def owner(client):
    client.force_login(make_user(role="owner"))
    return client


def _text(response):
    return response.content.decode()


def _pdf(response):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


def test_the_bare_list_opens_on_what_waits_and_an_empty_shop_says_what_comes(owner):
    assert "No orders yet" in _text(owner.get("/orders/"))
    type_in((make_lot(), 1))
    assert owner.get("/orders/").headers["Location"] == "/orders/?tab=todo"


@pytest.mark.parametrize("query", [
    "q=24418822", "q=jan@example.com", "q=jangbricks", "q=3001", "q=Berg", "status=NEW", "country=DE", "item=3001",
    "tab=new", "total_min=0.1", "since=2026-01-01", "short=no", "q=berg+jan", "payment=UNPAID", "q=jan",
    "q=3s00123", "q=3S00123456789DE",
])  # fmt: skip
def test_an_order_is_found_by_what_people_know_of_it(owner, query):
    arrive(make_store(), incoming(incoming_line(make_lot()), tracking_number="3S00123456789DE"))
    assert "24418822" in _text(owner.get(f"/orders/?{query}"))


@pytest.mark.parametrize("query", ["q=nobody", "status=SHIPPED", "country=FR", "item=3002", "tab=problem", "short=yes"])
def test_what_does_not_match_is_not_shown(owner, query):
    arrive(make_store(), incoming(incoming_line(make_lot())))
    assert "24418822" not in _text(owner.get(f"/orders/?{query}"))


def test_a_line_says_where_its_pieces_lie_by_the_remarks_where_the_lot_has_no_place(owner):
    placed = make_lot(remarks="bought in May", location=make_location("D-07"))
    order = type_in((make_lot(remarks="A-23-30"), 1), (placed, 1))
    page = _text(owner.get(f"/orders/{order.pk}/"))
    assert "A-23-30" in page
    assert "D-07" in page
    assert "bought in May" not in page


def test_an_unknown_filter_is_said_not_ignored(owner):
    type_in((make_lot(), 1))
    assert "Country: Nowhere" in _text(owner.get("/orders/?country=Nowhere"))


def test_hostile_text_is_text_everywhere(owner):
    told = incoming(
        incoming_line(make_lot(), description=HOSTILE), incoming_line(item_no="", item_name=HOSTILE),
        buyer_name=HOSTILE, buyer_note=HOSTILE, buyer_username=HOSTILE, shipping_method=HOSTILE,
        external_order_id=HOSTILE[:60],
    )  # fmt: skip
    order = arrive(make_store(), told)
    services.update_order(order_id=order.pk, changes={"notes": HOSTILE, "tags": ["<b>"]}, now=timezone.now())
    paths = [
        "/orders/?tab=todo", f"/orders/{order.pk}/", f"/orders/{order.pk}/?tab=notes", f"/orders/{order.pk}/edit/",
        f"/orders/{order.pk}/?tab=timeline", "/orders/buyers/", f"/orders/buyers/{order.buyer_id}/",
        f"/orders/{order.pk}/cancel/", f"/orders/?q={HOSTILE}",
    ]  # fmt: skip
    for path in paths:
        text = _text(owner.get(path))
        assert "<script>alert(1)" not in text, path
        assert "14" not in HOSTILE
    slip = _pdf(owner.get(f"/orders/{order.pk}/packing-slip.pdf"))
    assert "<script>alert(1)</script>" in slip.replace("\n", "")


def test_a_picker_moves_and_looks_and_a_reader_only_looks(client):
    order = type_in((make_lot(), 1))
    for role, may_move in (("picker", True), ("readonly", False)):
        client.force_login(make_user(role=role, email=f"{role}@shop.example"))
        page = _text(client.get(f"/orders/{order.pk}/"))
        assert ("Ship order" in page) is may_move
        assert "Refund" not in page
        assert "Cancel order" not in page
        assert client.post(f"/orders/{order.pk}/cancel/").status_code == 403
        assert client.post(f"/orders/{order.pk}/refund/").status_code == 403
        assert client.get("/orders/new/").status_code == 403
        answer = client.post(f"/orders/{order.pk}/status/", {"status": "SHIPPED" if may_move else "NEW"})
        assert answer.status_code == (302 if may_move else 403)
        assert client.post(f"/orders/{order.pk}/status/", {"status": "CANCELLED"}).status_code == 403


def test_an_order_is_typed_in_without_javascript(owner):
    lot = make_lot(qty=10)
    found = _text(owner.post("/orders/new/", {"q": "3001", "do": "search"}))
    assert f'value="{lot.pk}"' in found
    added = _text(owner.post("/orders/new/", {"add": str(lot.pk), "q": "3001"}))
    assert 'name="qty"' in added
    form = {
        "lot": str(lot.pk),
        "qty": "4",
        "price": "0,50",
        "line": "",
        "buyer_name": "Ana",
        "is_paid": "on",
        "save": "1",
    }
    answer = owner.post("/orders/new/", form)
    order = Order.objects.get()
    assert answer.headers["Location"] == f"/orders/{order.pk}/"
    assert (order.grand_total, order.buyer_name) == (2, "Ana")
    wrong = owner.post("/orders/new/", {**form, "qty": "none"})
    assert (wrong.status_code, "is no number of pieces" in _text(wrong)) == (422, True)


def test_lines_are_changed_on_a_page(owner):
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    line = order.lines.get()
    assert 'value="4"' in _text(owner.get(f"/orders/{order.pk}/lines/"))
    form = {"lot": str(lot.pk), "qty": "2", "price": "", "line": str(line.pk), "version": "1", "save": "1"}
    assert owner.post(f"/orders/{order.pk}/lines/", form).status_code == 302
    assert owner.post(f"/orders/{order.pk}/lines/", form).status_code == 422, "somebody changed it meanwhile"
    lot.refresh_from_db()
    assert lot.qty_reserved == 2


def test_short_and_unmatched_lines_are_solved_on_the_page(owner):
    lot, other = make_lot(qty=1), make_lot(qty=9, condition="USED")
    order = arrive(make_store(), incoming(
        incoming_line(lot, qty=3), incoming_line(item_no="", external_item_no="X9", qty=1)
    ))  # fmt: skip
    short, unknown = order.lines.order_by("position")
    page = _text(owner.get(f"/orders/{order.pk}/"))
    assert "−2 short" in page
    assert "Take from" in page
    url = f"/orders/{order.pk}/lines/{short.pk}/"
    assert owner.post(url, {"take": str(other.pk)}).status_code == 302
    found = _text(owner.get(f"/orders/{order.pk}/?line={unknown.pk}&find=3001"))
    assert "It is this lot" in found
    answer = owner.post(f"/orders/{order.pk}/lines/{unknown.pk}/", {"do": "match", "lot": str(other.pk)})
    assert answer.status_code == 302
    order.refresh_from_db()
    assert not order.needs_attention
    assert owner.post(url, {"do": "nonsense"}).status_code == 422
    assert owner.post(url, {"do": "match", "lot": "x"}).status_code == 422


def test_lines_of_a_cancelled_order_wait_for_nobody(owner):
    order = type_in((make_lot(), 4))
    assert "Not sent" not in _text(owner.get(f"/orders/{order.pk}/"))
    assert owner.post(f"/orders/{order.pk}/cancel/", {"version": order.version}).status_code == 302
    assert _text(owner.get(f"/orders/{order.pk}/")).count("Not sent") == 1


def test_a_refund_is_recorded_on_its_page(owner):
    order = type_in((make_lot(), 4))
    services.ship_order(order_id=order.pk, now=timezone.now())
    line = order.lines.get()
    page = _text(owner.get(f"/orders/{order.pk}/refund/"))
    key = page.partition('name="key" value="')[2][:36]
    form = {"amount": "0.12", "reason": "Broken", "restock": "on", f"qty_{line.pk}": "1", "key": key}
    for _ in range(2):
        assert owner.post(f"/orders/{order.pk}/refund/", form).status_code == 302
    order.refresh_from_db()
    assert str(order.refunded_total) == "0.12"
    too_much = owner.post(f"/orders/{order.pk}/refund/", {"amount": "9", "key": key.replace("0", "1")})
    assert too_much.status_code == 422


def test_several_are_moved_tagged_printed_and_put_together(owner):
    lot, store = make_lot(qty=10), make_store()
    orders = [
        arrive(store, incoming(incoming_line(lot), external_order_id=str(number), status=Status.PENDING))
        for number in range(3)
    ]
    ids = [str(order.pk) for order in orders]
    assert owner.post("/orders/bulk/", {"ids": ids, "do": "tag", "tag": "gift"}).status_code == 302
    assert Order.objects.filter(tags=["gift"]).count() == 3
    assert owner.post("/orders/bulk/", {"ids": ids[:2], "do": "together"}).status_code == 302
    assert Order.objects.filter(ships_with__isnull=False).count() == 1
    assert owner.post("/orders/bulk/", {"ids": ids, "do": "print", "kind": "packing_slips"}).status_code == 302
    job = JobRun.objects.get(job_type="print_orders")
    assert job.label == "Packing slips of 3 orders"
    file = io.BytesIO()
    assert printing.write_papers(order_ids=[order.pk for order in orders], kind="packing_slips", stream=file) == 3
    assert len(PdfReader(file).pages) == 3
    assert owner.post("/orders/bulk/", {"ids": ids, "do": "status", "status": "SHIPPED"}).status_code == 302
    assert owner.post("/orders/bulk/", {"ids": ids, "do": "status", "status": "NEW"}).status_code == 409
    assert owner.post("/orders/bulk/", {"ids": ids, "do": "status", "status": "CANCELLED"}).status_code == 422
    assert owner.post("/orders/bulk/", {"ids": ["x"], "do": "status"}).status_code == 422
    assert owner.post("/orders/bulk/", {"do": "status"}).status_code == 422


def test_a_buyer_is_shown_merged_and_erased(owner):
    store = make_store()
    one = arrive(store, incoming(incoming_line(make_lot()), status=Status.SHIPPED))
    other = arrive(
        store, incoming(incoming_line(make_lot()), external_order_id="2", buyer_email="", buyer_username="second")
    )
    page = _text(owner.get(f"/orders/buyers/{one.buyer_id}/"))
    assert "May be the same person" in page
    assert owner.post(f"/orders/buyers/{one.buyer_id}/merge/", {"other": str(other.buyer_id)}).status_code == 302
    assert owner.post(f"/orders/buyers/{one.buyer_id}/notes/", {"notes": "Kind"}).status_code == 302
    assert owner.post(f"/orders/buyers/{one.buyer_id}/erase/").status_code == 409, "one of theirs is on its way"
    services.ship_order(order_id=_cleared(other), now=timezone.now())
    assert owner.post(f"/orders/buyers/{one.buyer_id}/erase/").status_code == 302
    assert "personal data was deleted" in _text(owner.get(f"/orders/{one.pk}/"))


def _cleared(order):
    services.change_status(order_id=order.pk, status="PENDING", now=timezone.now())
    return order.pk


def test_papers_have_the_text_in_every_script_and_the_order_of_the_walk(owner):
    first, second = make_location("A-2", sort_order=1), make_location("A-10", sort_order=2)
    lots = [make_lot(item_no="3002", location=second), make_lot(item_no="3003", location=first)]
    told = incoming(
        *(incoming_line(lot, qty=2) for lot in lots), buyer_name="Łukasz Żółć 🧱", shipping_cost=Decimal(10),
        currency="USD",
    )  # fmt: skip
    to = replace(told.ship_to, name="Ελένη Παπαδοπούλου", city="Київ", address1="Łódzka 5", country="UA")
    order = arrive(make_store(), replace(told, ship_to=to))
    slip = _pdf(owner.get(f"/orders/{order.pk}/packing-slip.pdf"))
    for text in ("Ελένη Παπαδοπούλου", "Київ", "Łódzka 5", "page 1 of 1", "2 lots, 4 pieces", "24418822"):
        assert text in slip
    assert slip.index("3003") < slip.index("3002")
    assert "0.24" not in slip
    invoice = _pdf(owner.get(f"/orders/{order.pk}/invoice.pdf"))
    for text in (f"Invoice {order.number}", "Total USD", "10.48"):
        assert text in invoice


def test_a_slip_of_600_lots_has_a_head_on_each_page(owner):
    store = make_store()
    told = incoming(*(incoming_line(item_no=str(9000 + number), qty=1) for number in range(600)))
    order = arrive(store, told)
    response = owner.get(f"/orders/{order.pk}/packing-slip.pdf")
    reader = PdfReader(io.BytesIO(response.content))
    assert all("Condition" in page.extract_text() for page in reader.pages)
    assert "600 lots, 600 pieces" in reader.pages[-1].extract_text()
    assert f"page 2 of {len(reader.pages)}" in reader.pages[1].extract_text()


def test_the_dashboard_says_what_waits_and_leads_there(owner):
    assert "No order waits." in _text(owner.get("/orders/work/"))
    type_in((make_lot(qty=1), 3))
    page = _text(owner.get("/orders/work/"))
    assert "1 order to pick" in page
    assert "1 line short" in page
    assert "/orders/?short=yes" in page
    assert "/orders/work/" in _text(owner.get("/"))


def test_what_is_not_there_is_not_there(owner):
    nobody = "01900000-0000-7000-8000-000000000000"
    for path in (f"/orders/{nobody}/", f"/orders/buyers/{nobody}/", f"/orders/{nobody}/invoice.pdf"):
        assert owner.get(path).status_code == 404


# --- Papers ---------------------------------------------------------------------------------------------------------
def _keep_picture(item_no: str, color_id: int) -> None:
    """Have the picture of a part kept, as a worker would have."""
    name = "picture.png"
    made = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 20, 20)).save(made, "PNG")
    squares = images.squares(made.getvalue(), sides=SIDES, limit_bytes=10**6, limit_pixels=10**6)
    now = timezone.now()
    kept = CatalogImage.objects.create(
        item_type="PART", item_no=item_no, color_id=color_id, state=ImageState.KEPT, content_hash="a" * 64,
        wanted_at=now, fetched_at=now, ask_again_at=now, used_at=now, source_url=name,
    )  # fmt: skip
    for side, data in squares.items():
        default_storage.save(kept.file_name(side), ContentFile(data))


def _pictures(reader):
    return sum(len(page.images) for page in reader.pages)


def test_a_slip_shows_the_pictures_that_are_kept_each_once_in_the_file(owner):
    _keep_picture("3001", 5)
    lot, other = make_lot(qty=9), make_lot(item_no="3002", qty=9)
    orders = [type_in((lot, 1), (other, 1)) for _ in range(3)]

    slip = PdfReader(io.BytesIO(owner.get(f"/orders/{orders[0].pk}/packing-slip.pdf").content))
    assert _pictures(slip) == 1
    file = io.BytesIO()
    printing.write_papers(order_ids=[order.pk for order in orders], kind="packing_slips", stream=file)
    assert file.getvalue().count(b"/Subtype /Image") == 1
    assert _pictures(PdfReader(io.BytesIO(owner.get(f"/orders/{orders[0].pk}/invoice.pdf").content))) == 0


def test_a_picture_whose_file_is_gone_or_broken_leaves_the_slip_as_it_is(owner):
    for number, broken in (("3001", False), ("3002", True)):
        _keep_picture(number, 5)
        name = CatalogImage.objects.get(item_no=number).file_name(IN_LISTS)
        default_storage.delete(name)
        if broken:
            default_storage.save(name, ContentFile(b"no picture"))
    order = type_in((make_lot(), 1), (make_lot(item_no="3002"), 1))
    slip = PdfReader(io.BytesIO(owner.get(f"/orders/{order.pk}/packing-slip.pdf").content))
    assert _pictures(slip) == 0
    assert "2 lots, 2 pieces" in slip.pages[0].extract_text()


@pytest.mark.parametrize(("paper", "size"), [("SHEET", (595, 842)), ("A6", (298, 420)), ("4X6", (288, 432))])
def test_a_slip_is_as_large_as_the_paper_that_is_asked_for(owner, paper, size):
    told = incoming(
        *(incoming_line(item_no=str(9000 + each), qty=2, item_name="Brick, Modified 2 x 4 " * 5) for each in range(30)),
        buyer_name="W" * 200,
    )  # fmt: skip
    order = arrive(make_store(), told)
    reader = PdfReader(io.BytesIO(owner.get(f"/orders/{order.pk}/packing-slip.pdf?paper={paper}").content))
    assert (round(reader.pages[0].mediabox.width), round(reader.pages[0].mediabox.height)) == size
    text = "".join(page.extract_text() for page in reader.pages)
    assert all(str(9000 + number) in text for number in range(30))
    assert "30 lots, 60 pieces" in text


def test_what_the_shop_prints_on_is_its_own_choice(owner):
    order = type_in((make_lot(), 1))
    page = owner.get("/settings/orders/").content.decode()
    version = page.partition('name="version" value="')[2].partition('"')[0]
    values = {"version": version, "buyer_retention_months": "0", "slip_paper": "A6"}
    assert owner.post("/settings/orders/save/", values).status_code == 302
    reader = PdfReader(io.BytesIO(owner.get(f"/orders/{order.pk}/packing-slip.pdf").content))
    assert round(reader.pages[0].mediabox.width) == 298
    assert owner.post("/settings/orders/save/", {**values, "slip_paper": "A0"}).status_code == 422
    assert owner.get(f"/orders/{order.pk}/packing-slip.pdf?paper=A0").status_code == 404

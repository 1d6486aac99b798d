"""Pages around a walk: what each role sees and does, from the orders to what is left to do after the end."""

import io
import re
from decimal import Decimal

import pytest
from django.apps import apps
from django.utils import timezone
from pypdf import PdfReader

from common.testing.people import make_user
from inventory.testing import make_location, make_lot
from jobs.models import JobRun
from jobs.runner import run_job
from orders import services as orders
from orders.testing import type_in
from picker import services
from picker.choices import EventType, SessionStatus
from picker.models import PickEvent, PickSession
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script>{{ 7|add:7 }}'


@pytest.fixture
def owner(client):
    client.force_login(make_user(role="owner"))
    return client


def text(response):
    return response.content.decode()


def first_of(pattern, page):
    """Answer what the first group of the pattern is on the page."""
    found = re.search(pattern, page)
    assert found, pattern
    return found.group(1)


def waiting(*lots, **values):
    """Answer an order of lots that waits to be picked."""
    return type_in(*lots, **values)


def two_orders():
    """Answer two orders that share a lot."""
    shared = make_lot(qty=20, location=make_location("A-01-1"), weight_grams=Decimal("2.32"))
    other = make_lot(qty=9, item_no="3003", item_name="Brick 2 x 2", location=make_location("B-11"))
    return waiting((shared, 6), buyer_name="Ann"), waiting((shared, 8), (other, 2), buyer_name="Ben")


# --- The list -------------------------------------------------------------------------------------------------------
def test_an_empty_list_says_what_sessions_are_for(owner):
    assert "No sessions yet" in text(owner.get("/picking/"))


def test_the_list_shows_who_picks_and_how_far(owner):
    session = make_session(*two_orders())
    ana = make_user(role="picker", name="Ana Silva", email="ana@shop.example")
    services.join(session_id=session.pk, user_id=ana.pk, now=timezone.now())
    record(session, say(needs_of(session)[0], 6), user_id=ana.pk)
    page = text(owner.get("/picking/"))
    assert "Ana Silva: 6 of 16 pieces" in page
    assert 'value="6"' in page
    part = owner.get("/picking/", headers={"HX-Request": "true", "HX-Target": "div#sessions"})
    assert "<html" not in text(part)
    services.complete_session(session_id=session.pk, now=timezone.now())
    assert "6 of 16" in text(owner.get("/picking/"))


def test_ended_sessions_are_paged(owner):
    for number in range(22):
        lot = make_lot(item_no=str(4000 + number), location=make_location(f"C-{number}"))
        session = make_session(waiting((lot, 1)), starts=False)
        services.cancel_session(session_id=session.pk, now=timezone.now())
    page = text(owner.get("/picking/"))
    older = first_of(r"(\?before=\d+)", page)
    assert page.count("data-row-link") == 20
    assert text(owner.get(f"/picking/{older}")).count("data-row-link") == 2


# --- A new session --------------------------------------------------------------------------------------------------
def test_what_a_filter_leaves_is_chosen_with_an_estimate(owner):
    two_orders()
    lot = make_lot(item_no="3004", location=make_location("C-1"))
    not_paid = waiting((lot, 1), is_paid=False)
    page = text(owner.get("/picking/new/?tab=to_pick"))
    assert page.count('name="order"') == 2
    assert ">2</dd>" in page
    assert "1 stop saved by picking together" in page
    assert not_paid.external_order_id not in page


def test_orders_are_chosen_by_region_and_number_of_lots(owner):
    lot = make_lot(qty=50, location=make_location("A-1"))
    many = make_lot(qty=50, item_no="3010", location=make_location("A-2"))
    germany = waiting((lot, 1), ship_to={"country": "DE"})
    waiting((lot, 1), ship_to={"country": "US"})
    waiting((lot, 1), (many, 1), ship_to={"country": "FR"})
    page = text(owner.get("/picking/new/?region=eu&lots_max=1"))
    assert re.findall(r'name="order" value="([^"]+)"', page) == [str(germany.pk)]


def test_ticked_orders_of_the_list_are_picked_together_in_their_totes(owner):
    first, second = two_orders()
    page = text(owner.post("/picking/new/", {"do": "choose", "ids": [str(first.pk), str(second.pk)]}))
    assert re.findall(r'name="order" value="([^"]+)"', page) == [str(first.pk), str(second.pk)]
    moved = text(owner.post("/picking/new/", {"do": f"up:{second.pk}", "order": [str(first.pk), str(second.pk)]}))
    assert re.findall(r'name="order" value="([^"]+)"', moved) == [str(second.pk), str(first.pk)]
    key = first_of(r'name="key" value="([^"]+)"', moved)
    form = {"do": "create", "order": [str(second.pk), str(first.pk)], "key": key, "notes": "Fragile"}
    made = owner.post("/picking/new/", form)
    again = owner.post("/picking/new/", form)
    session = PickSession.objects.get()
    assert made.headers["Location"] == again.headers["Location"] == f"/picking/{session.pk}/"
    assert dict(session.entries.values_list("order_id", "batch_code")) == {second.pk: "A", first.pk: "B"}


def test_a_flagged_order_asks_before_it_is_picked(owner):
    first, _second = two_orders()
    orders.update_order(order_id=first.pk, changes={"flags": ["on_hold"]}, now=timezone.now())
    refused = owner.post("/picking/new/", {"do": "create", "order": [str(first.pk)]})
    assert refused.status_code == 409
    assert "on hold" in text(refused)
    owner.post("/picking/new/", {"do": "create", "order": [str(first.pk)], "with_flagged": "1"})
    assert PickSession.objects.count() == 1


def test_an_order_of_another_session_is_left_out_and_said_so(owner):
    first, second = two_orders()
    session = make_session(first, starts=False)
    page = text(owner.post("/picking/new/", {"do": "choose", "ids": [str(first.pk), str(second.pk)]}))
    assert f"is in session {session.number} already" in page
    assert re.findall(r'name="order" value="([^"]+)"', page) == [str(second.pk)]


def test_orders_that_share_places_are_suggested_together(owner):
    here, there = (make_lot(qty=50, item_no=f"60{n}", location=make_location(f"{n}-1")) for n in ("A", "B"))
    together = [waiting((here, 1)), waiting((here, 2))]
    others = [waiting((there, 1)), waiting((there, 2))]
    page = text(owner.get("/picking/new/?tab=to_pick&totes=2"))
    assert page.count("2 orders share 1 of 2 stops") == 2
    keys = first_of(r'value="take:([^"]+)"', page)
    taken = text(owner.post("/picking/new/", {"do": f"take:{keys}", "totes": "2"}))
    chosen = set(re.findall(r'name="order" value="([^"]+)"', taken))
    assert chosen in ({str(order.pk) for order in together}, {str(order.pk) for order in others})


# --- A session ------------------------------------------------------------------------------------------------------
def test_a_draft_is_started_here_and_its_totes_change_before(owner):
    first, second = two_orders()
    session = make_session(first, second, starts=False)
    url = f"/picking/{session.pk}/"
    assert "Start and pick here" in text(owner.get(url))
    owner.post(f"{url}totes/", {"order": [str(first.pk), str(second.pk)], "do": f"down:{first.pk}"})
    assert dict(session.entries.values_list("order_id", "batch_code")) == {second.pk: "A", first.pk: "B"}
    started = owner.post(f"{url}start/", {"here": "1"})
    assert started.headers["Location"] == f"{url}walk/"
    session.refresh_from_db()
    assert session.status == SessionStatus.ACTIVE
    page = text(owner.get(url))
    assert "Pick here" in page
    assert '<svg class="code"' in page


def test_orders_come_in_and_go_out(owner):
    first, second = two_orders()
    session = make_session(first)
    url = f"/picking/{session.pk}/"
    assert second.external_order_id in text(owner.get(f"{url}add/"))
    owner.post(f"{url}add/", {"ids": [str(second.pk)]})
    assert session.entries.filter(left_at__isnull=True).count() == 2
    owner.post(f"{url}orders/{first.pk}/remove/")
    first.refresh_from_db()
    assert first.status == "PENDING"


def test_finishing_says_what_is_left_and_what_helps(owner):
    first, second = two_orders()
    other = make_lot(qty=5, item_no="3003", item_name="Brick 2 x 2", condition="USED", location=make_location("C-9"))
    session = make_session(first, second)
    needs = needs_of(session)
    record(session, say(needs[0], 6))
    record(session, say(needs[1], 8))
    page = text(owner.get(f"/picking/{session.pk}/"))
    assert "1 stop is left" in page
    record(session, say(needs[2], 1))
    record(session, say(needs[2], 1, EventType.MISSING))
    owner.post(f"/picking/{session.pk}/finish/")
    page = text(owner.get(f"/picking/{session.pk}/"))
    assert "is short" in page
    assert "1 of 2 missing" in page
    assert f'value="{other.pk}"' in page
    assert "Copy message" in page
    assert "1 of 2: 3003" in page
    assert "Count <b" in page
    refund = first_of(r'href="(/orders/[^"]+/refund/[^"]+)"', page).replace("&amp;", "&")
    form = text(owner.get(refund))
    assert 'value="0.12"' in form
    assert "Missing: 1 × 3003" in form


def test_pieces_of_an_order_that_ended_are_put_back(owner):
    first, second = two_orders()
    session = make_session(first, second)
    record(session, say(needs_of(session)[0], 6))
    orders.cancel_order(order_id=first.pk, reason="", now=timezone.now())
    page = text(owner.get(f"/picking/{session.pk}/"))
    assert "Put back" in page
    assert "A-01-1" in page


@pytest.mark.parametrize(("grams", "words"), [
    ("13,9", "It fits"), ("9", "too light"), ("20", "too heavy"), ("", "Type what the scale shows"),
    ("heavy", "Grams are a number"),
])  # fmt: skip
def test_the_scale_is_believed_within_the_tolerance(owner, grams, words):
    first, _second = two_orders()
    session = make_session(first)
    record(session, say(needs_of(session)[0], 6))
    services.complete_session(session_id=session.pk, now=timezone.now())
    assert "13.9 g" in text(owner.get(f"/picking/{session.pk}/"))
    page = text(owner.get(f"/picking/{session.pk}/orders/{first.pk}/weight/", {"grams": grams}))
    assert words in page
    row = owner.get(
        f"/picking/{session.pk}/orders/{first.pk}/weight/", {"grams": grams},
        headers={"HX-Request": "true", "HX-Target": f"li#weigh-{first.pk}"},
    )  # fmt: skip
    assert words in text(row)
    assert "<html" not in text(row)


def test_lots_of_unknown_weight_leave_it_open(owner):
    _first, second = two_orders()
    session = make_session(second)
    for need in needs_of(session):
        record(session, say(need, need.qty))
    page = text(owner.get(f"/picking/{session.pk}/orders/{second.pk}/weight/", {"grams": "20"}))
    assert "be told" in page
    assert "2 × 3003" in page


# --- Paper ----------------------------------------------------------------------------------------------------------
def test_the_pick_list_has_the_walk_with_its_totes(owner):
    first, second = two_orders()
    session = make_session(first, second)
    answer = owner.get(f"/picking/{session.pk}/pick-list.pdf")
    read = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert read.index("A-01-1") < read.index("B-11")
    for words in (f"Session {session.number}", "14", "3003 Brick 2 x 2", first.external_order_id):
        assert words in read


def test_all_picked_except_is_said_once_however_often_it_is_pressed(owner):
    session = make_session(*two_orders())
    page = text(owner.get(f"/picking/{session.pk}/confirm/"))
    needs = needs_of(session)
    key = first_of(r'name="key" value="([^"]+)"', page)
    form = {"key": key, f"missing_{needs[1].pk}": "3"}
    for _press in range(2):
        owner.post(f"/picking/{session.pk}/confirm/", form)
    assert [(need.qty_picked, need.qty_missing) for need in needs_of(session)] == [(6, 0), (5, 3), (2, 0)]
    assert PickEvent.objects.count() == 4
    assert "Everything is picked" in text(owner.get(f"/picking/{session.pk}/confirm/"))


def test_more_missing_than_wanted_is_refused_beside_its_field(owner):
    session = make_session(*two_orders())
    need = needs_of(session)[0]
    answer = owner.post(f"/picking/{session.pk}/confirm/", {f"missing_{need.pk}": "7"})
    assert answer.status_code == 422
    assert "At most 6." in text(answer)
    assert not PickEvent.objects.exists()


def test_a_long_walk_is_confirmed_by_a_job(owner):
    lots = [(make_lot(item_no=f"5{number:03}", location=make_location(f"D-{number}")), 1) for number in range(41)]
    session = make_session(waiting(*lots))
    answer = owner.post(f"/picking/{session.pk}/confirm/", {"key": "abcdefgh"})
    assert answer.headers["Location"].startswith("/jobs/")
    run_job(job_id=JobRun.objects.get().pk, with_heartbeat=False)
    assert PickEvent.objects.count() == 41


# --- Elsewhere ------------------------------------------------------------------------------------------------------
def test_orders_lead_to_picking(owner):
    first, second = two_orders()
    page = text(owner.get("/orders/?tab=to_pick"))
    assert "Pick 2 orders" in page
    assert "Pick together" in page
    assert "Start picking" in text(owner.get(f"/orders/{first.pk}/"))
    session = make_session(first, second)
    page = text(owner.get(f"/orders/{first.pk}/"))
    assert "Start picking" not in page
    part = first_of(r'hx-get="(/picking/of-order/[^"]+)"', page)
    assert f"/picking/{session.pk}/" in text(owner.get(part))


def test_what_is_to_pick_on_the_dashboard_leads_to_a_new_session(owner):
    two_orders()
    assert "/picking/new/?tab=to_pick" in text(owner.get("/orders/work/"))


def test_the_timeline_of_an_order_tells_of_its_picks(owner):
    first, second = two_orders()
    session = make_session(first, second)
    need = needs_of(session)[0]
    for qty in (4, 2):
        pick = {
            "idempotency_key": f"tap-{qty}", "order_line": str(need.order_line_id), "stop": str(need.stop_id),
            "event_type": "PICKED", "qty": qty, "picked_at": timezone.now().isoformat(),
        }  # fmt: skip
        owner.post(f"/api/v1/picker/sessions/{session.pk}/pick", pick, content_type="application/json")
    page = text(owner.get(f"/orders/{first.pk}/?tab=timeline"))
    assert page.count(">Picked</a>") == 1
    assert "6 pieces" in page


def test_who_picks_lands_on_picking(client):
    client.force_login(make_user(role="picker"))
    assert client.get("/start/").headers["Location"] == "/picking/"
    client.force_login(make_user(role="staff", email="staff@shop.example"))
    assert client.get("/start/").headers["Location"] == "/"


def test_hostile_text_stays_text(owner):
    lot = make_lot(item_no="1", item_name=HOSTILE, location=make_location("X-1"))
    session = make_session(waiting((lot, 2), buyer_name=HOSTILE), notes=HOSTILE)
    record(session, say(needs_of(session)[0], 1, EventType.MISSING))
    for path in ("", "add/", "confirm/"):
        page = text(owner.get(f"/picking/{session.pk}/{path}"))
        assert "<script>alert" not in page
        assert "14" not in re.findall(r"\{\{.*?\}\}", page)
    assert owner.get(f"/picking/{session.pk}/pick-list.pdf").status_code == 200
    services.complete_session(session_id=session.pk, now=timezone.now())
    assert "<script>alert" not in text(owner.get(f"/picking/{session.pk}/"))


@pytest.mark.parametrize(("role", "reads", "picks"), [
    ("owner", True, True), ("staff", True, True), ("picker", True, True), ("readonly", True, False),
])  # fmt: skip
def test_each_role_does_what_it_may(client, role, reads, picks):
    first, _second = two_orders()
    session = make_session(first)
    client.force_login(make_user(role=role))
    page = client.get(f"/picking/{session.pk}/")
    assert page.status_code == (200 if reads else 403)
    for words in ("Pick here", "Finish session", "Add orders"):
        assert (words in text(page)) is picks, words
    for deed in ("finish", "cancel", "notes", "start"):
        answer = client.post(f"/picking/{session.pk}/{deed}/")
        assert (answer.status_code == 403) is not picks
    assert (client.get("/picking/new/").status_code == 200) is picks


def test_a_colleagues_session_is_for_who_manages_sessions(client):
    first, _second = two_orders()
    session = make_session(first)
    apps.get_model("accounts", "Role").objects.create(
        name="Helper", permissions=["picker:read", "picker:pick", "picker:create_session"]
    )
    client.force_login(make_user(role="Helper"))
    assert "Finish session" not in text(client.get(f"/picking/{session.pk}/"))
    assert client.post(f"/picking/{session.pk}/finish/").status_code == 403

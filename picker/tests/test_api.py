"""Picking over HTTP."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from common.testing.people import make_user
from inventory.testing import make_location, make_lot
from orders.testing import type_in
from picker.models import PickEvent, PickSession
from picker.testing import make_session, needs_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    place, other = make_location("A-1", zone="A"), make_location("B-1")
    lot = make_lot(qty=20, location=place)
    make_lot(qty=3, location=other, color_id=59)
    return make_session(type_in((lot, 6)), type_in((lot, 8)))


@pytest.fixture
def send(client):
    client.force_login(make_user(role="picker"))

    def send(method, path="", body=None):
        url = f"/api/v1/picker/sessions{path}"
        arguments = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method.lower())(url, **arguments)

    return send


def _pick(need, **values):
    return {
        "idempotency_key": "k1", "order_line": str(need.order_line_id), "stop": str(need.stop_id),
        "event_type": "PICKED", "qty": need.qty, "picked_at": timezone.now().isoformat(), **values,
    }  # fmt: skip


def test_a_walk_from_orders_to_packing(send):
    lot = make_lot(qty=20, location=make_location("A-1"))
    wanted = [str(type_in((lot, qty)).pk) for qty in (6, 8)]
    made = send("POST", "", {"order_ids": wanted, "start": True})
    assert made.status_code == 201
    at = f"/{made.json()['id']}"
    route = send("POST", f"{at}/join", {}).json()
    [stop] = route["stops"]
    assert stop["picker"] == route["me"]
    picks = [
        {
            "idempotency_key": need["id"], "order_line": need["order_line"], "stop": stop["id"], "event_type": "PICKED",
            "qty": need["qty"],
        }
        for need in stop["needs"]
    ]  # fmt: skip
    answer = send("POST", f"{at}/pick", {"picks": picks})
    assert (answer.status_code, [one["status"] for one in answer.json()["results"]]) == (200, ["accepted"] * 2)
    assert answer.json()["session"]["picked_items"] == 14
    again = send("POST", f"{at}/pick", {"picks": picks}).json()
    assert [one["status"] for one in again["results"]] == ["known"] * 2
    events = send("GET", f"{at}/events").json()["results"]
    assert [event["qty"] for event in events] == [6, 8]
    ended = send("PATCH", at, {"status": "COMPLETED"}).json()
    assert (ended["status"], [one["status"] for one in ended["outcome"]]) == ("COMPLETED", ["PACKING"] * 2)
    assert [one["number"] for one in send("GET", "?status=COMPLETED").json()["results"]] == [made.json()["number"]]


def test_a_stop_says_all_that_a_picker_needs(send, session):
    [stop] = send("GET", f"/{session.pk}/route").json()["stops"]
    assert stop["location"]["code"] == "A-1"
    assert stop["location"]["zone"] == "A"
    assert [(need["batch_code"], need["qty"]) for need in stop["needs"]] == [("A", 6), ("B", 8)]
    assert (stop["lot"]["color_name"], stop["lot"]["rgb"]) == ("Red", "C91A09")
    assert stop["lookalikes"] == [{"text": "Dark Red", "location": "B-1"}]
    assert stop["lot"]["picture"].startswith("/catalog/images/480/PART/5/")


def test_one_pick_is_created_and_known_the_second_time(send, session):
    need = needs_of(session)[0]
    assert send("POST", f"/{session.pk}/pick", _pick(need)).status_code == 201
    assert send("POST", f"/{session.pk}/pick", _pick(need)).status_code == 200
    other = send("POST", f"/{session.pk}/pick", _pick(need, qty=1))
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "key-reused")
    more = send("POST", f"/{session.pk}/pick", _pick(need, idempotency_key="k2"))
    assert (more.status_code, more.json()["type"].rpartition("/")[2]) == (409, "already-picked")


def test_of_several_picks_each_is_refused_by_itself(send, session):
    one, two = needs_of(session)
    picks = [
        _pick(one, qty=9), {"idempotency_key": "nonsense"}, _pick(two, idempotency_key="k3"),
        _pick(two, idempotency_key="k4", colour="red"),
    ]  # fmt: skip
    results = send("POST", f"/{session.pk}/pick", {"picks": picks}).json()["results"]
    assert [one["status"] for one in results] == ["refused", "refused", "accepted", "refused"]
    assert [one["idempotency_key"] for one in results] == ["k1", "nonsense", "k3", "k4"]
    assert "put 3 pieces back" in results[0]["problem"]["detail"]
    assert PickEvent.objects.count() == 1


def test_colleagues_see_what_changed(send, session, client):
    route = send("GET", f"/{session.pk}/route").json()
    seen = route["session"]["version"]
    assert send("GET", f"/{session.pk}/progress?since={seen}").json()["changed"] == []
    need = needs_of(session)[0]
    send("POST", f"/{session.pk}/pick", _pick(need, qty=2))
    progress = send("GET", f"/{session.pk}/progress?since={seen}").json()
    [changed] = progress["changed"]
    assert changed["needs"] == [[str(need.pk), 6, 2, 0], [str(needs_of(session)[1].pk), 8, 0, 0]]
    assert progress["session"]["version"] == seen + 1
    send("POST", f"/{session.pk}/join", {})
    send("GET", f"/{session.pk}/progress?stop={need.stop_id}")
    [picker] = send("GET", f"/{session.pk}/progress").json()["pickers"]
    assert picker["stop"] == str(need.stop_id)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("picker", {"GET", "POST", "PATCH"}), ("readonly", {"GET"})],
)
def test_who_may_what(client, session, role, allowed):
    client.force_login(make_user(role=role, email="who@x.example"))
    at = f"/api/v1/picker/sessions/{session.pk}"
    answers = {
        "GET": client.get(at), "POST": client.post(f"{at}/join", {}, content_type="application/json"),
        "PATCH": client.patch(at, {"notes": "x"}, content_type="application/json"),
    }  # fmt: skip
    assert {method for method, answer in answers.items() if answer.status_code < 300} == allowed


def test_a_colleagues_session_is_for_who_manages_sessions(client, session):
    for role, status in (("staff", 204), ("readonly", 403)):
        client.force_login(make_user(role=role, email=f"{role}@x.example"))
        assert client.delete(f"/api/v1/picker/sessions/{session.pk}").status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {}, {"picks": "x"}, {"picks": [1]}, {"picks": [{}] * 201}, {"idempotency_key": "k", "qty": "many"},
        {"idempotency_key": "k", "order_line": "x", "event_type": "PICKED", "qty": 1},
    ],
    ids=str,
)  # fmt: skip
def test_bodies_that_make_no_sense_are_refused(send, session, body):
    assert send("POST", f"/{session.pk}/pick", body).status_code == 422
    assert send("PATCH", f"/{session.pk}", {}).status_code == 422
    assert send("POST", "", {"order_ids": []}).status_code == 422
    assert send("GET", "/01900000-0000-7000-8000-000000000000").status_code == 404


def test_what_is_changed_together_is_changed_as_a_whole_or_not_at_all(send):
    draft = make_session(type_in((make_lot(qty=3, item_no="3003"), 1)), starts=False)
    draft.created_by = get_user_model().objects.get()
    draft.save()
    assert send("PATCH", f"/{draft.pk}", {"status": "COMPLETED", "notes": "Done"}).status_code == 409
    draft.refresh_from_db()
    assert draft.notes == ""
    assert send("PATCH", f"/{draft.pk}", {"version": draft.version}).status_code == 422


def test_orders_that_can_not_be_started_make_no_session(send):
    lot = make_lot(qty=1)
    type_in((lot, 1))
    answer = send("POST", "", {"order_ids": [str(type_in((lot, 1)).pk)], "start": True})
    assert (answer.status_code, PickSession.objects.count()) == (409, 0)


@pytest.mark.parametrize("key", ["\\ud800", "\\u0000"])
def test_keys_that_are_no_text_are_refused(send, session, key):
    body = json.dumps({"picks": [_pick(needs_of(session)[0], idempotency_key="KEY")]}).replace("KEY", key)
    answer = send("POST", f"/{session.pk}/pick", body)
    assert (answer.status_code, answer["Content-Type"]) in {
        (status, "application/problem+json") for status in (400, 422)
    }
    assert not PickEvent.objects.exists()

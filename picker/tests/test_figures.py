"""Figures of picking: what they count, what they leave out, and that many picks are no burden."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit import bulk
from common.testing.people import make_user
from inventory.testing import make_location, make_lot
from orders.testing import type_in
from picker import services
from picker.choices import EventType
from picker.models import PickSession
from picker.queries import figures
from picker.testing import needs_of, say

pytestmark = pytest.mark.django_db
# A Wednesday.
NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def walk(*counts, started=NOW):
    """Answer a session with a stop for each count of pieces."""
    lots = [
        (make_lot(item_no=f"7{place}", qty=99, location=make_location(f"F-{time.time_ns()}-{place}")), qty)
        for place, qty in enumerate(counts)
    ]
    session = services.create_session(order_ids=[type_in(*lots).pk], now=started)
    return services.start_session(session_id=session.pk, now=started)


def pick(session, need, qty, after, kind=EventType.PICKED, *, user=None, **values):
    """Have somebody say something so many seconds after the session's start."""
    at = session.started_at + timedelta(seconds=after)
    said = replace(say(need, qty, kind, **values), picked_at=at)
    services.record_pick(session_id=session.pk, pick=said, user_id=user.pk if user else None, now=at)


def test_a_session_is_counted_with_breaks_cut_short():
    ana = make_user(role="picker")
    session = walk(10, 4, 2)
    first, second, third = needs_of(session)
    pick(session, first, 10, 20, user=ana)
    pick(session, second, 3, 60, user=ana)
    pick(session, second, 1, 60, EventType.MISSING, user=ana)
    pick(session, third, 2, 60 + 3600, user=ana)
    found = figures.of_session(session.pk, since=NOW - timedelta(days=1), until=NOW + timedelta(days=1))
    whole = found[None]
    assert found[ana.pk] == whole
    assert (whole.lines, whole.stops, whole.picked, whole.missing) == (3, 3, 15, 1)
    assert whole.seconds == 20 + 40 + 0 + figures.PAUSE_S
    assert whole.seconds_per_stop == pytest.approx(80)
    assert whole.lines_per_hour == pytest.approx(3 * 3600 / 240)
    assert whole.missing_percent == pytest.approx(100 / 16)


def test_a_corrected_pick_counts_as_it_is_by_now():
    session = walk(10)
    need = needs_of(session)[0]
    pick(session, need, 8, 10, key="tap")
    pick(session, need, 5, 20, EventType.ADJUSTMENT, corrects="tap")
    found = figures.of_session(session.pk, since=NOW - timedelta(days=1), until=NOW + timedelta(days=1))
    assert (found[None].picked, found[None].lines) == (5, 1)


def test_what_came_from_paper_has_no_pace():
    session = walk(4)
    pick(session, needs_of(session)[0], 4, 1, key="paper:abcdefgh:1:P")
    assert figures.weeks(now=NOW + timedelta(minutes=5)) == []


def test_weeks_stand_beside_the_week_before():
    for weeks_ago, seconds in ((0, 30), (1, 60)):
        started = NOW - timedelta(weeks=weeks_ago)
        session = walk(6, started=started)
        pick(session, needs_of(session)[0], 6, seconds)
        services.complete_session(session_id=session.pk, now=started + timedelta(minutes=5))
        bulk.update(PickSession.objects.filter(pk=session.pk), route_metres=50)
    this, last = figures.weeks(now=NOW + timedelta(hours=1))
    assert this.start.isoformat() == "2026-03-09"
    assert this.before == last.figures
    assert this.change == pytest.approx(100)
    assert this.figures.metres == 50
    assert last.change is None


def test_people_stand_beside_themselves_four_weeks_before():
    ana, ben = make_user(role="picker"), make_user(role="picker")
    for person, weeks_ago, qty in ((ana, 0, 6), (ana, 5, 3), (ben, 0, 9)):
        session = walk(qty, started=NOW - timedelta(weeks=weeks_ago))
        pick(session, needs_of(session)[0], qty, 30, user=person)
    first, second = figures.people(now=NOW + timedelta(hours=1))
    assert (first.user_id, first.figures.picked, first.before) == (ben.pk, 9, None)
    assert second.before
    assert second.before.picked == 3


def test_the_pace_is_the_shops_own_once_it_is_known():
    assert figures.seconds_per_stop(now=NOW) == (figures.DEFAULT_STOP_S, False)
    _many_picks(400, gap_s=12)
    pace, is_own = figures.seconds_per_stop(now=timezone.now())
    assert is_own
    assert pace == pytest.approx(12, rel=0.1)


def _many_picks(count, *, gap_s=15):
    """Have so many picks lie in the past, each at a stop of its own, a hundred a session."""
    session = walk(5)
    line = needs_of(session)[0].order_line_id
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO picker_picksession (id, created_at, updated_at, version, number, status, total_orders,
                total_items, picked_items, missing_items, route_version, started_at, completed_at, notes)
            SELECT gen_random_uuid(), now(), now(), 1, 1000000 + i, 'COMPLETED', 1, 0, 0, 0, 1,
                now() - (i + 1) * 100 * %(gap)s * interval '1 second', now(), ''
            FROM generate_series(0, %(count)s / 100) i
            """,
            {"count": count, "gap": gap_s},
        )
        cursor.execute(
            """
            INSERT INTO picker_pickevent (key, session_id, order_line_id, stop_id, event_type, qty, location_code,
                remainder, stock_change, moved_qty, notes, idempotency_key, body_digest, picked_at, created_at)
            SELECT gen_random_uuid(), s.id, %(line)s, gen_random_uuid(), 'PICKED', 3, '', '', 0, 0, '', i::text, '',
                s.started_at + (i + 1) * %(gap)s * interval '1 second', now()
            FROM picker_picksession s, generate_series(0, 99) i WHERE s.number >= 1000000
            """,
            {"line": line, "gap": gap_s},
        )
        cursor.execute("ANALYZE picker_pickevent, picker_picksession")


def test_a_hundred_thousand_picks_are_grouped_where_they_are(client, django_assert_max_num_queries):
    _many_picks(100_000)
    client.force_login(make_user(role="owner"))
    client.get("/picking/figures/")
    begun = time.process_time()
    with django_assert_max_num_queries(20):
        page = client.get("/picking/figures/")
    # What the application itself works for it doesn't grow with the picks.
    assert time.process_time() - begun < 1
    assert "By week" in page.content.decode()


def test_a_shop_that_never_picked_is_told_what_comes(client):
    client.force_login(make_user(role="readonly"))
    assert "No picks yet" in client.get("/picking/figures/").content.decode()

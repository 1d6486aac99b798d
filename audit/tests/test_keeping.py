"""Retention takes what is old and superseded, never less than a year, and says so."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from audit import context, queries, services
from audit.models import ChangeSet
from audit.tests.conftest import Role, trail
from common.errors import Invalid

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=800)


def _at(moment: Any, role: Any, name: str) -> Any:
    with time_machine.travel(moment, tick=False), context.change_set("tests.rename") as deed:
        role.name = name
        role.save()
        return deed.change_set_id


@pytest.fixture
def role() -> Any:
    """Answer a role that is older than anything is kept."""
    with time_machine.travel(LONG_AGO - timedelta(days=1), tick=False):
        return Role.objects.create(name="Oldest")


def test_takes_what_was_superseded_and_keeps_what_the_next_change_shows_as_before(role: Any) -> None:
    _at(LONG_AGO, role, "Old")
    recent = _at(NOW - timedelta(days=10), role, "New")
    assert services.purge(before=NOW - timedelta(days=400), now=NOW) == 1
    assert [row.name for row in trail(Role, role.pk)] == ["Old", "New"]
    (entity,) = queries.changes_of(recent).entities
    assert [(field.before, field.after) for field in entity.fields] == [("Old", "New")]


def test_takes_what_was_deleted_long_ago_with_all_that_is_known_of_it(role: Any) -> None:
    role_id = role.pk
    with time_machine.travel(LONG_AGO, tick=False), context.change_set("tests.delete"):
        role.delete()
    services.purge(before=NOW - timedelta(days=400), now=NOW)
    assert trail(Role, role_id) == []
    assert not ChangeSet.objects.filter(action="tests.delete").exists()


def test_takes_the_change_sets_that_nothing_points_to_and_no_others(role: Any) -> None:
    superseded = _at(LONG_AGO, role, "Old")
    last = _at(LONG_AGO + timedelta(days=1), role, "Newer")
    recent = _at(NOW - timedelta(days=1), role, "New")
    services.purge(before=NOW - timedelta(days=400), now=NOW)
    left = set(ChangeSet.objects.values_list("pk", flat=True))
    assert superseded not in left
    assert {last, recent} <= left


def test_says_in_the_trail_that_it_was_there(role: Any) -> None:
    _at(LONG_AGO, role, "Old")
    with context.for_job("audit.purge"):
        services.purge(before=NOW - timedelta(days=400), now=NOW)
    row = next(row for row in queries.latest_change_sets(limit=5) if row.action == "audit.purge")
    assert row.reason.startswith("History before ")


def test_says_nothing_where_nothing_was_old() -> None:
    services.purge(before=NOW - timedelta(days=4000), now=NOW)
    assert not ChangeSet.objects.filter(action="audit.purge").exists()


def test_keeps_a_year_whatever_is_asked(role: Any) -> None:
    _at(LONG_AGO, role, "Old")
    with pytest.raises(Invalid):
        services.purge(before=NOW - timedelta(days=364), now=NOW)
    assert len(trail(Role, role.pk)) == 2


def test_keeps_as_long_as_the_shop_wants(role: Any) -> None:
    _at(NOW - timedelta(days=720), role, "Two years old")
    _at(NOW - timedelta(days=700), role, "Superseded")
    services.purge_expired(now=NOW)
    assert [row.name for row in trail(Role, role.pk)] == ["Oldest", "Two years old", "Superseded"]
    services.purge_expired(now=NOW + timedelta(days=40))
    assert [row.name for row in trail(Role, role.pk)] == ["Superseded"]


def test_closes_the_door_behind_it(role: Any) -> None:
    _at(LONG_AGO, role, "Old")
    services.purge(before=NOW - timedelta(days=400), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('audit.retention', true)")
        assert cursor.fetchone() == ("off",)

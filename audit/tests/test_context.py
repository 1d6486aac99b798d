"""One deed, one change set: made with the first change, in its transaction, in each schema; none for no change."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from audit import context
from audit.models import ChangeSet, Source
from audit.tests.conftest import ANA, AbandonedError, Role, abandoned, only_change_set, trail
from common import actor
from common.actor import Actor, ActorKind, Origin
from common.ids import new_id

pytestmark = pytest.mark.django_db


def test_leaves_no_change_set_where_nothing_changes() -> None:
    with context.change_set("tests.look") as deed:
        list(Role.objects.all())
    assert not ChangeSet.objects.filter(action="tests.look").exists()
    assert deed.change_set_id is None


def test_gathers_all_changes_of_a_deed_in_one_change_set() -> None:
    with context.change_set("tests.make", reason="Spring cleaning") as deed:
        first = Role.objects.create(name="Packer")
        second = Role.objects.create(name="Counter")
        Role.objects.get(pk=first.pk).delete()
    change_set = only_change_set("tests.make")
    assert change_set.pk == deed.change_set_id
    assert change_set.reason == "Spring cleaning"
    assert [row.history_type for row in (*trail(Role, first.pk), *trail(Role, second.pk))] == ["+", "-", "+"]
    assert {row.change_set_id for row in (*trail(Role, first.pk), *trail(Role, second.pk))} == {change_set.pk}


def test_says_who_acted_and_from_where() -> None:
    origin = Origin(
        request_id="req-12345678", correlation_id="cor-12345678", ip_address="192.0.2.7", user_agent="Firefox"
    )
    with actor.use(ANA), actor.use_origin(origin), context.change_set("tests.make", source=Source.PAGE):
        Role.objects.create(name="Packer")
    change_set = only_change_set("tests.make")
    assert (change_set.actor_type, change_set.actor_id, change_set.actor_name) == ("USER", ANA.id, "Ana")
    assert (change_set.request_id, change_set.correlation_id) == ("req-12345678", "cor-12345678")
    assert (change_set.ip_address, change_set.user_agent, change_set.source) == ("192.0.2.7", "Firefox", "PAGE")


def test_keeps_names_and_agents_that_are_longer_than_their_columns() -> None:
    long = Actor(kind=ActorKind.JOB, id="7" * 90, name="n" * 300)
    with actor.use(long), actor.use_origin(Origin(user_agent="u" * 900)), context.change_set("a" * 300):
        Role.objects.create(name="Packer")
    assert ChangeSet.objects.latest("created_at").actor_name == "n" * 200


def test_opens_a_deed_by_itself_where_nobody_did() -> None:
    role = Role.objects.create(name="Packer")
    (row,) = trail(Role, role.pk)
    assert row.change_set.action == "system.change"
    assert row.change_set.actor_type == "SYSTEM"


def test_makes_the_change_set_again_after_its_transaction_was_rolled_back() -> None:
    with context.change_set("tests.make") as deed:
        with abandoned():
            Role.objects.create(name="Packer")
            assert context.current_change_set_id()
        assert deed.change_set_id is None
        assert not ChangeSet.objects.filter(action="tests.make").exists()
        role = Role.objects.create(name="Packer")
    assert trail(Role, role.pk)[0].change_set_id == only_change_set("tests.make").pk == deed.change_set_id


def test_makes_the_change_set_again_after_a_savepoint_inside_was_rolled_back() -> None:
    with context.change_set("tests.make") as deed, transaction.atomic():
        with abandoned(), transaction.atomic():
            Role.objects.create(name="Packer")
            # The inner savepoint was released into this one, which goes now.
        assert deed.change_set_id is None
        role = Role.objects.create(name="Packer")
        with abandoned():
            Role.objects.create(name="Counter")
        assert context.current_change_set_id()
    assert [row.change_set_id for row in trail(Role, role.pk)] == [only_change_set("tests.make").pk]


def test_keeps_the_change_set_of_a_savepoint_that_was_released() -> None:
    with context.change_set("tests.make"):
        with transaction.atomic():
            Role.objects.create(name="Packer")
        Role.objects.create(name="Counter")
    assert only_change_set("tests.make")


@pytest.mark.django_db(transaction=True)
def test_goes_on_with_the_same_change_set_in_the_next_transaction() -> None:
    with context.change_set("tests.make") as deed:
        Role.objects.create(name="Packer")
        with abandoned():
            Role.objects.create(name="Counter")
        Role.objects.create(name="Counter")
    assert Role.history.model.objects.filter(change_set_id=deed.change_set_id).count() == 2
    assert only_change_set("tests.make").pk == deed.change_set_id


@pytest.mark.django_db(transaction=True)
def test_makes_the_change_set_once_when_a_hook_of_the_commit_changes_something() -> None:
    with context.change_set("tests.make"), transaction.atomic():
        # This hook runs while that of the change set still waits for its turn.
        transaction.on_commit(lambda: Role.objects.create(name="Counter"))
        Role.objects.create(name="Packer")
    change_set = only_change_set("tests.make")
    assert Role.history.model.objects.filter(change_set=change_set).count() == 2


@pytest.mark.django_db(transaction=True)
def test_gives_each_transaction_outside_of_deeds_its_own_change_set() -> None:
    with transaction.atomic():
        first, second = Role.objects.create(name="Packer"), Role.objects.create(name="Counter")
    third = Role.objects.create(name="Checker")
    assert (
        trail(Role, first.pk)[0].change_set_id
        == trail(Role, second.pk)[0].change_set_id
        != trail(Role, third.pk)[0].change_set_id
    )


@pytest.mark.django_db(transaction=True)
def test_keeps_row_and_history_together_where_nobody_opened_a_transaction() -> None:
    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  # Django's signature
        if "accounts_historicalrole" in sql:
            raise AbandonedError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(AbandonedError):
        Role.objects.create(name="Packer")
    assert not Role.objects.filter(name="Packer").exists()


def test_lets_the_first_description_name_the_deed() -> None:
    with context.change_set("tests.view", is_named=False):
        context.describe("tests.outer_service", reason="Because")
        context.describe("tests.inner_service")
        Role.objects.create(name="Packer")
    assert only_change_set("tests.outer_service").reason == "Because"


def test_does_not_rename_a_deed_that_was_opened_by_name() -> None:
    with context.change_set("tests.import_roles"):
        context.describe("tests.create_role")
        Role.objects.create(name="Packer")
    assert only_change_set("tests.import_roles")


def test_keeps_a_deed_inside_another_apart_and_through_the_same_door() -> None:
    with context.for_job("tests.outer"):
        with context.change_set("tests.inner"):
            inner = Role.objects.create(name="Packer")
        outer = Role.objects.create(name="Counter")
    assert trail(Role, inner.pk)[0].change_set == only_change_set("tests.inner")
    assert trail(Role, outer.pk)[0].change_set == only_change_set("tests.outer")
    assert only_change_set("tests.inner").source == "JOB"


def test_goes_on_under_the_same_id_when_a_job_is_taken_up_again() -> None:
    job_id = new_id()
    with context.for_job("tests.job", change_set_id=job_id):
        first = Role.objects.create(name="Packer")
    with context.for_job("tests.job", change_set_id=job_id):
        second = Role.objects.create(name="Counter")
    assert trail(Role, first.pk)[0].change_set_id == trail(Role, second.pk)[0].change_set_id == job_id


def test_answers_the_id_for_undo_only_once_something_has_changed() -> None:
    with context.change_set("tests.make"):
        assert context.current_change_set_id() is None
        role = Role.objects.create(name="Packer")
        assert context.current_change_set_id() == trail(Role, role.pk)[0].change_set_id


def test_keeps_deeds_of_threads_apart() -> None:
    seen: list[Any] = []
    with context.change_set("tests.make"):
        thread = threading.Thread(target=lambda: seen.append(context.current_deed().action))
        thread.start()
        thread.join()
    assert seen == ["system.change"]


def test_leaves_a_change_set_in_each_schema_that_a_deed_changes(schema: str) -> None:
    connection_here: Any = connection
    with actor.use_origin(Origin(correlation_id="both-schemas")), context.change_set("tests.make") as deed:
        Role.objects.create(name="Packer")
        here = deed.change_set_id
        connection_here.set_schema_to_public()
        assert deed.change_set_id is None
        Role.objects.create(name="Packer")
        there = deed.change_set_id
        assert ChangeSet.objects.get(action="tests.make").pk == there
        connection_here.set_schema(schema)
    change_set = ChangeSet.objects.get(action="tests.make")
    assert change_set.pk == here != there
    assert change_set.correlation_id == "both-schemas"

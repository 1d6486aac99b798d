"""What the trail answers: change sets in words, entity by entity, field by field, and nothing twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import bulk, context, diff, labels, queries
from audit.diff import Names, Step, differences, word_diff
from audit.models import ChangeSet, Source
from audit.queries import Filters
from audit.reading import as_json, typed
from audit.recording import every_tracked_model, tracked_fields
from audit.tests.conftest import ANA, OWNER, Role, User, UserRole
from common import actor
from common.errors import BadRequest, NotFound
from common.ids import new_id

pytestmark = pytest.mark.django_db


def _do(change: Callable[[], object], *, action: str = "tests.change", who: actor.Actor = ANA, **more: Any) -> UUID:
    with actor.use(who), context.change_set(action, **more) as deed:
        change()
        assert deed.change_set_id is not None
        return deed.change_set_id


def _role(name: str = "Packer", **values: Any) -> Any:
    return Role.objects.create(name=name, **values)


def _set(entity: Any, **values: Any) -> Callable[[], None]:
    def change() -> None:
        for name, value in values.items():
            setattr(entity, name, value)
        entity.save()

    return change


# --- Change sets ----------------------------------------------------------------------------------------------------
def test_calls_a_change_of_one_entity_by_its_name() -> None:
    role = _role()
    row = queries.change_set_row(_do(_set(role, name="Checker"), action="tests.rename_role"))
    assert (row.summary, row.count, row.actor_name) == ("Rename role: Checker", 1, "Ana")


def test_calls_a_change_of_many_entities_by_their_number() -> None:
    def change() -> None:
        for name in ("A", "B", "C"):
            _role(name)
        User.objects.create(email="ana@shop.example", display_name="Ana")

    row = queries.change_set_row(_do(change))
    assert (row.summary, row.count) == ("Change: 3 roles, 1 user", 4)


def test_says_why_where_somebody_said_why() -> None:
    row = queries.change_set_row(_do(_role, reason="Season begins"))
    assert row.summary == "Change: Season begins"


def test_calls_what_has_no_name_by_what_it_points_to() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), _role()
    given = UserRole.objects.create(user=user, role=role)
    change = _do(UserRole.objects.get(pk=given.pk).delete)
    user.delete()
    role.delete()
    row = queries.change_set_row(change)
    assert row.about == "Ana · Packer"


def test_links_a_change_set_with_what_takes_it_back() -> None:
    first = _do(_role)
    second = _do(lambda: _role("Counter"), reverts=first)
    rows = {row.id: row for row in queries.latest_change_sets(limit=10)}
    assert [reference.id for reference in rows[first].reverted_by] == [second]
    reverts = rows[second].reverts
    assert reverts is not None
    assert reverts.id == first


def test_says_what_was_undone_and_not_what_was_done_again_since() -> None:
    def both() -> None:
        _role("A")
        _role("B")

    first = _do(both)
    partly = _do(lambda: _role("C"), reverts=first)
    assert queries.change_set_row(first).undone == "partly undone"
    rest = _do(lambda: _role("D"), reverts=first)
    assert queries.change_set_row(first).undone == "undone"
    again = _do(lambda: _role("E"), reverts=rest)
    assert queries.change_set_row(first).undone == "partly undone"
    assert [queries.change_set_row(one).undone for one in (partly, rest, again)] == ["", "undone", ""]
    _do(lambda: _role("F"), reverts=again)
    assert [queries.change_set_row(one).undone for one in (first, rest, again)] == ["undone", "", "undone"]


def test_finds_no_change_set_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        queries.change_set_row(new_id())


def test_counts_no_further_than_people_read() -> None:
    def change() -> None:
        bulk.bulk_create(Role, [Role(name=f"Role {number}") for number in range(10_002)])

    row = queries.change_set_row(_do(change))
    assert (row.summary, row.is_many, row.shown_count) == ("Change: 10,000+ roles", True, 10_000)


# --- Filters --------------------------------------------------------------------------------------------------------
def _found(**filters: Any) -> set[UUID]:
    return {change_set.pk for change_set in queries.change_sets(Filters(**filters))}


def test_filters_by_who_what_whence_and_which_request() -> None:
    with actor.use_origin(actor.Origin(correlation_id="cor-1", request_id="req-1")):
        first = _do(_role, action="tests.one", who=ANA, source=Source.API)
    second = _do(lambda: _role("Counter"), action="tests.two", who=OWNER)
    assert _found(actor=f"USER:{ANA.id}") == {first}
    assert _found(action="tests.two") == {second}
    assert _found(source="API") == {first}
    assert _found(correlation_id="cor-1") == {first}
    assert _found(actor="USER:nobody") == set()
    assert {first, second} <= _found(actor="")


def test_filters_by_entity_and_field() -> None:
    role, user = _role(), User.objects.create(email="ana@shop.example", display_name="Ana")
    renamed = _do(_set(role, name="Checker"))
    permitted = _do(_set(role, permissions=["orders:read"]))
    themed = _do(_set(user, theme="dark"))
    assert {renamed, permitted} <= _found(entity_type="Role")
    assert themed not in _found(entity_type="Role")
    assert _found(entity_type="Role", entity_id=str(role.pk)) >= {renamed, permitted}
    assert _found(entity_type="Role", field="name") == {renamed}
    assert _found(field="theme") == {themed}
    assert _found(entity_id=str(user.pk), field="theme") == {themed}
    for nothing in ({"entity_type": "Spaceship"}, {"field": "warp"}, {"entity_type": "Role", "entity_id": "x" * 40}):
        assert _found(**nothing) == set()


def test_sees_a_field_change_from_and_to_nothing() -> None:
    user = User.objects.create(email="ana@shop.example", display_name="Ana")
    moment = timezone.now()
    to_something = _do(_set(user, credentials_changed_at=moment))
    to_nothing = _do(_set(user, credentials_changed_at=None))
    assert _found(entity_type="User", field="credentials_changed_at") == {to_something, to_nothing}


def test_filters_by_period() -> None:
    change = _do(_role)
    at = ChangeSet.objects.get(pk=change).created_at
    assert change in _found(since=at, until=at + timedelta(seconds=1))
    assert change not in _found(until=at)
    assert change not in _found(since=at + timedelta(microseconds=1))


def test_searches_for_ids_and_words() -> None:
    role = _role()
    with actor.use_origin(actor.Origin(request_id="req-77-abc")):
        change = _do(_set(role, name="Checker"), reason="Spring cleaning")
    for text in (str(change), str(role.pk), "req-77-abc", "spring", " ANA ", ANA.id):
        assert change in _found(text=text), text
    assert _found(text="100 % nothing_like_it") == set()


def test_pages_through_the_log() -> None:
    made = [_do(lambda name=name: _role(name), action="tests.page") for name in "ABCDE"]  # type: ignore[misc]  # a default binds the loop's value
    filters = Filters(action="tests.page")
    first = queries.log_page(filters, cursor=None, limit=2)
    second = queries.log_page(filters, cursor=first.next, limit=2)
    back = queries.log_page(filters, cursor=second.previous, limit=2)
    assert [row.id for row in (*first.rows, *second.rows)] == made[:0:-1]
    assert [row.id for row in back.rows] == [row.id for row in first.rows]
    assert first.total == 5
    with pytest.raises(BadRequest):
        queries.log_page(filters, cursor="garbage", limit=2)


def test_offers_the_filters_that_there_are() -> None:
    _do(_role, action="tests.offer_me")
    found = queries.choices()
    assert (f"USER:{ANA.id}", "Ana") in found.actors
    assert ("tests.offer_me", "Offer me") in found.actions
    assert ("Role", "Role") in found.entity_types
    assert {"display_name", "theme"} <= {name for name, _ in found.fields}


# --- Entities and fields --------------------------------------------------------------------------------------------
def _changes(change: UUID) -> list[Any]:
    return list(queries.changes_of(change).entities)


def test_shows_what_was_and_what_is() -> None:
    role = _role(permissions=["orders:read", "orders:write"])
    change = _do(_set(role, name="Checker", permissions=["orders:read", "users:read"]))
    (entity,) = _changes(change)
    shown = {field.field: (field.before, field.after) for field in entity.fields}
    assert (entity.name, entity.deed) == ("Checker", "changed")
    assert shown == {"name": ("Packer", "Checker"), "permissions": ("orders:write", "users:read")}
    assert {field.field: (field.old, field.new) for field in entity.fields}["permissions"] == (
        ["orders:read", "orders:write"],
        ["orders:read", "users:read"],
    )


def test_shows_several_changes_of_an_entity_as_one() -> None:
    role = _role()

    def change() -> None:
        for name in ("Checker", "Counter", "Runner"):
            _set(role, name=name)()

    (entity,) = _changes(_do(change))
    assert [(field.before, field.after) for field in entity.fields] == [("Packer", "Runner")]


def test_shows_what_came_and_what_went() -> None:
    role = _role()
    user = User.objects.create(email="ana@shop.example", display_name="Ana")

    def change() -> None:
        UserRole.objects.create(user=user, role=role)
        User.objects.create(email="ben@shop.example", display_name="Ben").delete()
        UserRole.objects.all().delete()
        role.delete()

    deeds = {(entity.type_code, entity.name): entity.deed for entity in _changes(_do(change))}
    assert deeds == {("UserRole", "Ana · Packer"): "passed", ("User", "Ben"): "passed", ("Role", "Packer"): "deleted"}


def test_reads_a_big_change_set_in_parts() -> None:
    def change() -> None:
        bulk.bulk_create(Role, [Role(name=f"Role {number}") for number in range(7)])
        User.objects.create(email="ana@shop.example", display_name="Ana")

    change_id = _do(change)
    seen: list[Any] = []
    after = ""
    for _ in range(3):
        part = queries.changes_of(change_id, after=after, limit=3)
        seen += [(entity.type_code, entity.key) for entity in part.entities]
        after = part.after
    assert after == ""
    assert len(set(seen)) == len(seen) == 8
    with pytest.raises(BadRequest):
        queries.changes_of(change_id, after="Role:nothing")


def test_says_that_what_was_before_is_not_known_rather_than_guess() -> None:
    from audit import retention  # noqa: PLC0415  # only here

    role = _role()
    change = _do(_set(role, name="Checker"))
    with retention.allowed():
        Role.history.model.objects.filter(id=role.pk, history_type="+").delete()
    (entity,) = _changes(change)
    assert (entity.deed, entity.fields, entity.step.is_whole) == ("changed", (), False)


def test_answers_the_history_of_an_entity_newest_first() -> None:
    role = _role()
    for name in "ABC":
        _do(_set(role, name=name))
    first = queries.entity_history("Role", str(role.pk), limit=2)
    rest = queries.entity_history("Role", str(role.pk), before=first.before, limit=2)
    shown = [item.change.fields for item in (*first.items, *rest.items)]
    assert [[(field.before, field.after) for field in fields] for fields in shown[:3]] == [
        [("B", "C")],
        [("A", "B")],
        [("Packer", "A")],
    ]
    assert [item.change.deed for item in rest.items] == ["changed", "created"]
    assert rest.before is None
    assert first.items[0].change_set.actor_name == "Ana"


@pytest.mark.parametrize(("entity_type", "entity_id"), [("Spaceship", "1"), ("Role", "not-a-uuid"), ("ChangeSet", "1")])
def test_finds_no_history_of_what_can_not_be(entity_type: str, entity_id: str) -> None:
    with pytest.raises(NotFound):
        queries.entity_history(entity_type, entity_id)


# --- Words ----------------------------------------------------------------------------------------------------------
def _words(model: Any, before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[str, str]]:
    row = {column.attname: None for column in model._meta.concrete_fields}
    step = Step(model, new_id(), {**row, **before}, {**row, **after})
    return {field.label: (field.before, field.after) for field in differences(step, Names([step]))}


def test_writes_choices_booleans_and_times_for_people() -> None:
    moment = datetime(2026, 3, 12, 13, 2, 5, tzinfo=UTC)
    shown = _words(
        User,
        {"theme": "light", "is_active": True, "credentials_changed_at": None},
        {"theme": "dark", "is_active": False, "credentials_changed_at": moment},
    )
    assert shown["Theme"] == ("Light", "Dark")
    assert sorted(shown.values()) == [("", "12 Mar 2026, 13:02:05"), ("Light", "Dark"), ("yes", "no")]


def test_writes_json_entry_by_entry() -> None:
    shown = _words(
        User,
        {"preferences": {"a": 1, "deep": {"x_y": 1, "same": True}}},
        {"preferences": {"deep": {"x_y": 2500, "same": True}, "list": ["b", None]}},
    )
    assert shown == {
        "Preferences › a": ("1", ""),
        "Preferences › deep › x y": ("1", "2,500"),
        "Preferences › list": ("", "b, "),
    }


def test_writes_names_instead_of_keys() -> None:
    old, new = _role("Packer"), _role("Checker")
    shown = _words(UserRole, {"role_id": old.pk}, {"role_id": new.pk})
    assert shown == {"Role": ("Packer", "Checker")}


def test_writes_the_end_of_a_key_that_is_unknown() -> None:
    gone = UUID("0198f000-0000-7000-8000-0000deadbeef")
    assert _words(UserRole, {"role_id": gone}, {"role_id": None}) == {"Role": ("…deadbeef", "")}


def test_compares_long_texts_word_by_word() -> None:
    before = "A long sentence about bricks that goes on and on, and then ends somewhere here."
    pieces = word_diff(before, before.replace("bricks", "plates and tiles"))
    assert [(piece.kind, piece.text) for piece in pieces if piece.kind != "same"] == [
        ("was", "bricks"),
        ("now", "plates and tiles"),
    ]
    assert "".join(piece.text for piece in pieces if piece.kind != "now") == before


def test_answers_values_as_json_has_them() -> None:
    moment = datetime(2026, 3, 12, tzinfo=UTC)
    key = new_id()
    assert diff.plain({"a": Decimal("1.50"), "b": moment, "c": key, 4: [None, True]}) == {
        "a": "1.50",
        "b": "2026-03-12T00:00:00Z",
        "c": str(key),
        "4": [None, True],
    }


# --- The flat log ---------------------------------------------------------------------------------------------------
def test_lists_every_change_of_every_entity_newest_first() -> None:
    role = _role()
    change = _do(_set(role, name="Checker"))
    gone = _do(Role.objects.get(pk=role.pk).delete)
    read = queries.entries(Filters(entity_type="Role", entity_id=str(role.pk)))
    assert [entry.change_set_id for entry in read.rows[:2]] == [gone, change]
    deleted, changed, created = read.rows
    assert changed.changes == [{"field": "name", "old": "Packer", "new": "Checker"}]
    assert changed.before_state is not None
    assert (changed.before_state["name"], changed.entity_type, changed.entity_id) == ("Packer", "Role", str(role.pk))
    assert deleted.after_state is None
    assert deleted.before_state is not None
    assert deleted.before_state["name"] == "Checker"
    assert created.before_state is None


@pytest.mark.parametrize("ascending", [False, True])
def test_walks_the_whole_log_in_both_directions(ascending: bool) -> None:  # noqa: FBT001  # a test's parameter
    for name in "ABCDE":
        _do(lambda name=name: (_role(name), User.objects.create(email=f"{name.lower()}@x.example", display_name=name)))  # type: ignore[misc]  # a default binds the loop's value
    everything = queries.entries(Filters(), ascending=ascending, limit=200).rows
    walked: list[Any] = []
    position = None
    while True:
        part = queries.entries(Filters(), after=position, ascending=ascending, limit=3)
        walked += part.rows
        if not part.has_more:
            break
        position = part.rows[-1].position
    assert [row.id for row in walked] == [row.id for row in everything]
    assert len({row.id for row in walked}) == len(walked) == queries.count_entries(Filters())


def test_narrows_the_flat_log_like_the_other() -> None:
    role = _role()
    renamed = _do(_set(role, name="Checker"), action="tests.rename")
    _do(_set(role, permissions=["orders:read"]))
    for filters in (
        Filters(action="tests.rename"),
        Filters(change_set_id=renamed),
        Filters(entity_type="Role", field="name"),
    ):
        assert [entry.change_set_id for entry in queries.entries(filters).rows] == [renamed], filters
        assert queries.count_entries(filters) == 1
    assert queries.entries(Filters(entity_type="Spaceship")).rows == []


def test_asks_as_often_for_many_rows_as_for_few() -> None:
    def cost(read: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as asked:
            read()
        return len(asked)

    def fill(start: int, count: int) -> None:
        for number in range(start, start + count):
            user = User.objects.create(email=f"u{number}@shop.example", display_name=f"U {number}")
            _do(lambda: UserRole.objects.create(user=user, role=_role(f"R {number}")))  # noqa: B023  # called at once
            _do(_set(user, theme="dark"))

    reads: list[Callable[[], object]] = [
        lambda: queries.log_page(Filters(), cursor=None, limit=50),
        lambda: queries.latest_change_sets(limit=50),
        lambda: queries.entries(Filters()),
        queries.choices,
    ]
    fill(0, 2)
    few = [cost(read) for read in reads]
    fill(2, 15)
    assert [cost(read) for read in reads] == few


def test_knows_every_entity_type_by_one_name() -> None:
    names = [kind[0] for kind in queries.choices().entity_types]
    assert len(set(names)) == len(names)
    assert {"User", "Role"} <= set(names)
    assert apps.get_model("audit", "ChangeSet")._meta.object_name not in names


def test_several_of_a_kind_are_called_as_people_say_it() -> None:
    kinds = [labels.type_of(model) for model in every_tracked_model()]
    plurals = {kind.name: kind.plural for kind in kinds}
    assert plurals["role of a user"] == "roles of users"
    assert plurals["lot of a purchase"] == "lots of purchases"
    assert not [name for name, plural in plurals.items() if "'s " in plural or (" of a" in name and " of a" in plural)]


# --- Reading --------------------------------------------------------------------------------------------------------
# Kinds of column that survive the way over JSON (audit.reading), each seen doing so; add one when it does.
_READ = {
    "ArrayField", "BigIntegerField", "BooleanField", "CharField", "CountryField", "DateField", "DateTimeField",
    "DecimalField", "EmailField", "ForeignKey", "IntegerField", "JSONField", "BigAutoField", "PositiveIntegerField",
    "PositiveSmallIntegerField", "TextField", "UUIDField", "OneToOneField", "URLField",
}  # fmt: skip


@pytest.mark.parametrize("model", every_tracked_model(), ids=lambda model: model.__name__)
def test_reads_every_kind_of_column_there_is(model: Any) -> None:
    assert {type(column).__name__ for column in tracked_fields(model)} <= _READ


def test_reads_columns_as_the_models_have_them() -> None:
    User.objects.create(
        email="ana@shop.example",
        display_name='Ünï \\ "quoted"\n\ttab',
        preferences={"float": 1.5, "text": "1.50", "null": None, "deep": [{"a": []}]},
        credentials_changed_at=timezone.now(),
    )
    _role(permissions=["orders:read", "orders:write"])
    for model in every_tracked_model():
        columns = tracked_fields(model)
        by_orm = list(model._base_manager.order_by("pk").values(*[column.attname for column in columns]))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {as_json(columns, 't')} FROM {model._meta.db_table} t ORDER BY {model._meta.pk.column}"  # noqa: S608  # names come from the models
            )
            by_json = [typed(columns, json.loads(state)) for (state,) in cursor.fetchall()]
        assert by_json == by_orm, model
        assert [[type(value) for value in row.values()] for row in by_json] == [
            [type(value) for value in row.values()] for row in by_orm
        ]


def test_rounds_no_amount_on_the_way() -> None:
    column = models.DecimalField(max_digits=30, decimal_places=4)
    column.set_attributes_from_name("price")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {as_json([column], 't')} FROM (SELECT 12345678901234567890.1200 AS price) t")  # noqa: S608  # as written here
        (state,) = cursor.fetchone()
    read = typed([column], json.loads(state))["price"]
    assert (read, str(read)) == (Decimal("12345678901234567890.1200"), "12345678901234567890.1200")

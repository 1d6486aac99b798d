"""What was changed can be put back: shown first, field by field, by the owner's rules, and put back in turn."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import context, reverters, services
from audit.errors import NothingToRevert
from audit.models import ChangeSet
from audit.services import Decision, State
from audit.tests.conftest import ANA, OWNER, PlainReverter, Role, User, UserRole, abandoned, trail
from common import actor
from common.actor import Actor, ActorKind
from common.errors import NotFound, PermissionDenied
from common.ids import new_id

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_reverters")]


@pytest.fixture(autouse=True)
def _as_owner() -> Iterator[None]:
    with actor.use(OWNER):
        yield


def _do(change: Any) -> Any:
    """Make a change as a deed, and answer its id."""
    with context.change_set("tests.change") as deed:
        change()
        return deed.change_set_id


def _rename(role: Any, name: str) -> Any:
    def change() -> None:
        role.name = name
        role.save()

    return _do(change)


def _now(role: Any) -> Any:
    return Role.objects.get(pk=role.pk)


# --- Back and forth -------------------------------------------------------------------------------------------------
def test_puts_a_changed_field_back() -> None:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])
    change = _rename(role, "Checker")
    done = services.revert(change_set_id=change)
    assert (_now(role).name, done.count) == ("Packer", 1)
    undoing = ChangeSet.objects.get(pk=done.change_set_id)
    assert (undoing.reverts_id, undoing.actor_name, undoing.action) == (change, "Marta", "audit.revert")
    assert trail(Role, role.pk)[-1].change_set_id == done.change_set_id


def test_keeps_what_was_changed_later_in_other_fields() -> None:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])
    change = _rename(role, "Checker")
    role.permissions = ["orders:write"]
    role.save()
    services.revert(change_set_id=change)
    assert (_now(role).name, _now(role).permissions) == ("Packer", ["orders:write"])


def test_takes_a_created_row_away_and_brings_it_back_with_its_id() -> None:
    role = Role(name="Packer", permissions=["orders:read"])
    change = _do(role.save)
    undone = services.revert(change_set_id=change)
    assert not Role.objects.filter(pk=role.pk).exists()
    redone = services.revert(change_set_id=undone.change_set_id)
    assert (_now(role).name, _now(role).permissions) == ("Packer", ["orders:read"])
    assert (undone.message, redone.message) == ("Undone: Change: Packer", "Done again: Change: Packer")
    again = services.revert(change_set_id=redone.change_set_id)
    assert again.message == "Undone: Change: Packer"
    assert not Role.objects.filter(pk=role.pk).exists()


def test_brings_a_deleted_row_back_with_its_id() -> None:
    role = Role.objects.create(name="Packer")
    change = _do(Role.objects.get(pk=role.pk).delete)
    services.revert(change_set_id=change)
    assert _now(role).name == "Packer"


def test_brings_back_owners_before_what_hangs_on_them() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), Role.objects.create(name="Packer")
    given_role = UserRole.objects.create(user=user, role=role)
    given_id = given_role.pk

    def take_all_away() -> None:
        UserRole.objects.get(pk=given_id).delete()
        Role.objects.get(pk=role.pk).delete()

    done = services.revert(change_set_id=_do(take_all_away))
    assert UserRole.objects.get(pk=given_id).role_id == role.pk
    services.revert(change_set_id=done.change_set_id)
    assert not Role.objects.filter(pk=role.pk).exists()


def test_frees_a_name_before_it_is_taken_again() -> None:
    role = Role.objects.create(name="Packer")

    def replace() -> None:
        Role.objects.get(pk=role.pk).delete()
        Role.objects.create(name="Packer", permissions=["orders:read"])

    services.revert(change_set_id=_do(replace))
    assert Role.objects.get(name="Packer").pk == role.pk


def test_puts_back_one_entity_of_many() -> None:
    first, second = Role.objects.create(name="Packer"), Role.objects.create(name="Counter")

    def both() -> None:
        for role in (first, second):
            role.permissions = ["orders:read"]
            role.save()

    services.revert(change_set_id=_do(both), entity=("Role", str(first.pk)))
    assert (_now(first).permissions, _now(second).permissions) == ([], ["orders:read"])


def test_puts_back_entries_of_a_json_field_one_by_one() -> None:
    # Forgotten again after the test, like the others.
    reverters.register(User, PlainReverter())
    user = User.objects.create(email="ana@shop.example", display_name="Ana", preferences={"kept": 1, "a": 1})

    def change(**entries: Any) -> Any:
        user.preferences = entries
        return _do(user.save)

    first = change(kept=1, a=2, b=2)
    change(kept=3, a=2, b=2)
    services.revert(change_set_id=first)
    assert User.objects.get(pk=user.pk).preferences == {"kept": 3, "a": 1}


# --- Conflicts ------------------------------------------------------------------------------------------------------
def test_shows_the_three_values_of_what_was_changed_since() -> None:
    role = Role.objects.create(name="Packer")
    change = _rename(role, "Checker")
    _rename(role, "Counter")
    (entity,) = services.preview_revert(change_set_id=change).entities
    (field,) = entity.fields
    assert entity.state is field.state is State.CONFLICT
    assert (field.before, field.after, field.now) == ("Packer", "Checker", "Counter")


def test_leaves_what_was_changed_since_unless_decided() -> None:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])

    def change() -> None:
        role.name, role.permissions = "Checker", ["orders:write"]
        role.save()

    change_id = _do(change)
    _rename(role, "Counter")
    done = services.revert(change_set_id=change_id)
    assert (_now(role).name, _now(role).permissions, done.conflicts) == ("Counter", ["orders:read"], 0)
    with pytest.raises(NothingToRevert, match="changed again since"):
        services.revert(change_set_id=change_id)
    services.revert(change_set_id=change_id, decisions=[Decision("Role", str(role.pk), "name")])
    assert _now(role).name == "Packer"


def test_takes_a_created_row_that_was_changed_since_only_when_decided() -> None:
    role = Role(name="Packer")
    change = _do(role.save)
    _rename(role, "Checker")
    with pytest.raises(NothingToRevert):
        services.revert(change_set_id=change)
    services.revert(change_set_id=change, decisions=[Decision("Role", str(role.pk))])
    assert not Role.objects.filter(pk=role.pk).exists()


def test_ignores_decisions_about_what_is_no_conflict() -> None:
    role = Role.objects.create(name="Packer")
    change = _rename(role, "Checker")
    services.revert(
        change_set_id=change,
        decisions=[Decision("Role", str(role.pk), "permissions"), Decision("User", "nobody", "email")],
    )
    assert _now(role).name == "Packer"


# --- What can't be --------------------------------------------------------------------------------------------------
def test_refuses_to_take_away_what_something_depends_on() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), Role(name="Packer")
    change = _do(role.save)
    UserRole.objects.create(user=user, role=role)
    (entity,) = services.preview_revert(change_set_id=change).entities
    assert entity.state is State.IMPOSSIBLE
    assert entity.objection is not None
    assert entity.objection.reason.endswith("depends on it.")
    with pytest.raises(NothingToRevert, match="depends on it"):
        services.revert(change_set_id=change)
    assert _now(role).name == "Packer"


def test_takes_away_together_what_was_created_together() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), Role(name="Packer")

    def create() -> None:
        role.save()
        UserRole.objects.create(user=user, role=role)

    services.revert(change_set_id=_do(create))
    assert not Role.objects.filter(pk=role.pk).exists()


def test_says_what_can_not_be_put_back() -> None:
    user = User.objects.create(email="ana@shop.example", display_name="Ana")

    def rename() -> None:
        user.display_name = "Ana Maria"
        user.save()

    change = _do(rename)
    (entity,) = services.preview_revert(change_set_id=change).entities
    assert entity.state is State.IMPOSSIBLE
    with pytest.raises(NothingToRevert, match="can't be put back"):
        services.revert(change_set_id=change)


def test_leaves_fields_that_stay_and_says_why() -> None:
    role = Role.objects.create(name="Packer")

    def change() -> None:
        role.name, role.is_system = "Checker", True
        role.save()

    change_id = _do(change)
    (entity,) = services.preview_revert(change_set_id=change_id).entities
    assert {field.field: field.reason for field in entity.fields if field.reason} == {
        "is_system": "What belongs to the system stays."
    }
    services.revert(change_set_id=change_id)
    assert (_now(role).name, _now(role).is_system) == ("Packer", True)


def test_reports_what_the_owner_refuses_and_does_the_rest() -> None:
    reserved, other = Role.objects.create(name="Reserved"), Role.objects.create(name="Packer")

    def change() -> None:
        for role, name in ((reserved, "Free"), (other, "Checker")):
            role.name = name
            role.save()

    done = services.revert(change_set_id=_do(change))
    assert (_now(reserved).name, _now(other).name) == ("Free", "Packer")
    (refusal,) = done.refusals
    assert (refusal.entity_id, refusal.reason) == (str(reserved.pk), "That name is reserved.")


def test_does_nothing_at_all_where_everything_is_refused() -> None:
    role = Role.objects.create(name="Reserved")
    change = _rename(role, "Free")
    with pytest.raises(NothingToRevert, match="reserved"):
        services.revert(change_set_id=change)
    assert not ChangeSet.objects.filter(reverts_id=change).exists()


def test_does_not_bring_back_fields_of_what_was_deleted_since() -> None:
    role = Role.objects.create(name="Packer")
    change = _rename(role, "Checker")
    Role.objects.get(pk=role.pk).delete()
    with pytest.raises(NothingToRevert, match="deleted since"):
        services.revert(change_set_id=change)


def test_has_nothing_to_do_for_what_was_made_and_taken_away_again() -> None:
    def change() -> None:
        Role.objects.create(name="Packer").delete()

    with pytest.raises(NothingToRevert, match="as it was before already"):
        services.revert(change_set_id=_do(change))


def test_finds_no_change_set_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        services.revert(change_set_id=new_id())
    with pytest.raises(NotFound):
        services.preview_revert(change_set_id=new_id())


def test_does_nothing_the_second_time() -> None:
    role = Role.objects.create(name="Packer")
    change = _rename(role, "Checker")
    services.revert(change_set_id=change)
    with pytest.raises(NothingToRevert, match="Marta has undone this already"):
        services.revert(change_set_id=change)


# --- Who may --------------------------------------------------------------------------------------------------------
def _by(who: Actor, role: Any, name: str) -> Any:
    with actor.use(who):
        return _rename(role, name)


def test_lets_people_undo_their_own_with_the_permission_of_the_change() -> None:
    role = Role.objects.create(name="Packer")
    change = _by(ANA, role, "Checker")
    with actor.use(ANA):
        services.revert(change_set_id=change)
    assert _now(role).name == "Packer"


def test_lets_people_take_back_their_own_undo() -> None:
    role = Role.objects.create(name="Packer")
    change = _by(ANA, role, "Checker")
    with actor.use(ANA):
        services.revert(change_set_id=services.revert(change_set_id=change).change_set_id)
    assert _now(role).name == "Checker"


def _job_of(who: Actor) -> Actor:
    return Actor(
        kind=ActorKind.JOB, id="0198f000-0000-7000-8000-0000000000ff", name="Import", on_behalf_of=who.identity
    )


def test_lets_people_undo_the_job_that_they_started() -> None:
    role = Role.objects.create(name="Packer")
    change = _by(_job_of(ANA), role, "Checker")
    with actor.use(ANA):
        services.revert(change_set_id=change)
    assert _now(role).name == "Packer"


def test_keeps_people_from_undoing_the_job_of_somebody_else() -> None:
    change = _by(_job_of(OWNER), Role.objects.create(name="Packer"), "Checker")
    with actor.use(ANA), pytest.raises(PermissionDenied, match="audit:revert"):
        services.revert(change_set_id=change)


@pytest.mark.parametrize(
    ("who", "missing"),
    [
        (Actor(kind=ActorKind.USER, id=ANA.id, name="Ana"), "roles:manage"),
        (Actor(kind=ActorKind.USER, id="somebody-else", name="Ben", permissions=ANA.permissions), "audit:revert"),
        (Actor(kind=ActorKind.API_KEY, id=ANA.id, name="erp", permissions=ANA.permissions), "audit:revert"),
        (Actor(kind=ActorKind.USER, id="", name="Visitor"), "audit:revert"),
    ],
    ids=["own, permission lost", "somebody else's", "same id, other kind", "nobody"],
)
def test_refuses_others_and_names_what_they_lack(who: Actor, missing: str) -> None:
    role = Role.objects.create(name="Packer")
    change = _by(ANA, role, "Checker")
    with actor.use(who), pytest.raises(PermissionDenied, match=missing):
        services.revert(change_set_id=change)
    with actor.use(who), pytest.raises(PermissionDenied, match=missing):
        services.preview_revert(change_set_id=change)
    assert _now(role).name == "Checker"


def test_ends_the_right_to_undo_after_a_day() -> None:
    role = Role.objects.create(name="Packer")
    change = _by(ANA, role, "Checker")
    later = timezone.now() + timedelta(hours=24, seconds=1)
    with actor.use(ANA), pytest.raises(PermissionDenied, match="audit:revert"):
        services.revert(change_set_id=change, now=later)
    with actor.use(ANA):
        services.revert(change_set_id=change, now=later - timedelta(minutes=1))


def test_offers_reverts_only_to_those_who_may_try() -> None:
    from audit.queries import change_set_row  # noqa: PLC0415  # only here

    role = Role.objects.create(name="Packer")
    mine, theirs = _by(ANA, role, "Checker"), _by(OWNER, role, "Counter")
    rows = [change_set_row(mine), change_set_row(theirs)]
    with actor.use(ANA):
        assert services.offered(rows) == {mine}
    assert services.offered(rows) == {mine, theirs}


# --- Many at once ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_lets_one_of_two_undos_at_once_do_it(schema: str) -> None:
    role = Role.objects.create(name="Packer")
    change = _rename(role, "Checker")
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def undo() -> None:
        place: Any = connection
        place.set_schema(schema)
        start.wait(10)
        try:
            with actor.use(OWNER):
                services.revert(change_set_id=change)
            outcomes.append("done")
        except NothingToRevert as error:
            outcomes.append(error.detail)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=undo) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["Marta has undone this already.", "done"]
    assert ChangeSet.objects.filter(reverts_id=change).count() == 1
    assert [row.name for row in trail(Role, role.pk)] == ["Packer", "Checker", "Packer"]


def test_asks_as_often_for_many_entities_as_for_few() -> None:
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415  # only here

    def cost(count: int, prefix: str) -> int:
        def create() -> None:
            for number in range(count):
                Role.objects.create(name=f"{prefix} {number}")

        change = _do(create)
        with CaptureQueriesContext(connection) as asked:
            services.preview_revert(change_set_id=change)
        return len(asked)

    assert cost(2, "Few") == cost(20, "Many")


_NAMES = st.sampled_from(["Packer", "Checker", "Counter", "Runner"])
_PERMISSIONS = st.lists(st.sampled_from(["orders:read", "orders:write", "users:read"]), unique=True)
_STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "change", "delete"]), st.integers(0, 3), _NAMES, _PERMISSIONS),
    min_size=1,
    max_size=6,
)


def _state() -> dict[Any, Any]:
    return {role.pk: (role.name, sorted(role.permissions)) for role in Role.objects.all()}


@given(before=_STEPS, steps=_STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reverts_to_what_was_and_a_revert_of_it_to_what_is(before: Any, steps: Any) -> None:
    with abandoned():
        _play(before)
        was = _state()
        change = _do(lambda: _play(steps))
        became = _state()
        if change is None or was == became:
            return
        undone = services.revert(change_set_id=change)
        assert _state() == was
        services.revert(change_set_id=undone.change_set_id)
        assert _state() == became


def _play(steps: Any) -> None:
    """Do what the steps say, as far as names are free and rows are there."""
    for deed, place, name, permissions in steps:
        own = list(Role.objects.filter(name__in=["Packer", "Checker", "Counter", "Runner"]).order_by("pk"))
        if deed == "create":
            if not any(role.name == name for role in own):
                Role.objects.create(name=name, permissions=permissions)
        elif place < len(own):
            role = own[place]
            if deed == "delete":
                role.delete()
            elif not any(other.name == name for other in own if other.pk != role.pk):
                role.name, role.permissions = name, permissions
                role.save()


@pytest.mark.django_db(transaction=True)
def test_reports_what_hangs_on_nothing_any_more() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), Role.objects.create(name="Packer")
    given_role = UserRole.objects.create(user=user, role=role)
    change = _do(UserRole.objects.get(pk=given_role.pk).delete)
    Role.objects.get(pk=role.pk).delete()
    with pytest.raises(NothingToRevert, match="doesn't fit"):
        services.revert(change_set_id=change)

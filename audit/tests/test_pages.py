"""The log's pages: who sees what, what the address says, and the Undo behind the toast."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import bulk, context
from audit.models import ChangeSet, Source
from audit.tests.conftest import Role, User
from common import actor
from common.ids import new_id
from common.testing.people import make_user
from common.testing.template_guard import templates_do_not_query

pytestmark = pytest.mark.django_db


def _by(user: Any, change: Callable[[], object], action: str = "tests.change", **more: Any) -> UUID:
    who = actor.Actor(kind=actor.ActorKind.USER, id=str(user.pk), name=user.display_name)
    with actor.use(who), context.change_set(action, source=Source.PAGE, **more) as deed:
        change()
        assert deed.change_set_id is not None
        return deed.change_set_id


def _renamed(user: Any, **more: Any) -> tuple[Any, UUID]:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])

    def rename() -> None:
        role.name = "Checker"
        role.save()

    return role, _by(user, rename, **more)


@pytest.fixture
def owner(client: Client) -> Any:
    """Answer the shop's owner, signed in."""
    user = make_user(role="owner", name="Marta")
    client.force_login(user)
    return user


def _get(client: Client, path: str, **headers: str) -> Any:
    with templates_do_not_query():
        return client.get(path, headers=headers)


def test_shows_the_log_newest_first(client: Client, owner: Any) -> None:
    _, change = _renamed(owner, reason="Spring cleaning")
    later = _by(owner, lambda: Role.objects.create(name="Counter"))
    page = _get(client, "/audit/").content.decode()
    assert page.index(f"/audit/{later}/changes/") < page.index(f"/audit/{change}/changes/")
    assert "Change: Spring cleaning" in page
    assert f"/audit/{change}/revert/" in page


def test_answers_only_the_rows_to_a_filter(client: Client, owner: Any) -> None:
    _renamed(owner)
    answer = _get(client, "/audit/?action=tests.change", **{"HX-Request": "true", "HX-Target": "div#rows"})
    text = answer.content.decode()
    assert text.lstrip().startswith('<div id="rows"')
    assert "What: Change" in text
    assert "1 change set" in text


def test_shows_an_unknown_filter_as_such_and_nothing_for_it(client: Client, owner: Any) -> None:
    _renamed(owner)
    text = _get(client, "/audit/?entity_type=Spaceship&since=yesterday").content.decode()
    assert "Entity: Spaceship" in text
    assert "From: yesterday" in text
    assert text.count("unknown value") == 2
    assert "No change matches these filters" in text


def test_reads_days_in_the_shops_time_zone(client: Client, owner: Any) -> None:
    with time_machine.travel("2026-03-12 23:30:00Z", tick=False):
        _renamed(owner)
    assert "1 change set<" in _get(client, "/audit/?since=2026-03-12&until=2026-03-12").content.decode()
    assert "0 change sets" in _get(client, "/audit/?since=2026-03-13&until=2026-03-13").content.decode()


@pytest.mark.parametrize(
    "query",
    ["q=%00", "cursor=garbage", "limit=9999", "start=x", "since=9999-12-31", "until=9999-12-31", "q=" + "x" * 5000],
)
def test_takes_garbage_in_the_address(client: Client, owner: Any, query: str) -> None:  # signs in
    assert _get(client, f"/audit/?{query}").status_code in {200, 400}


def test_pages_through_many_change_sets(client: Client, owner: Any) -> None:
    for number in range(53):
        _by(owner, partial(Role.objects.create, name=f"Role {number}"), action="tests.page")
    first = _get(client, "/audit/?action=tests.page").content.decode()
    assert "1–50 of 53" in first
    following = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = _get(client, following).content.decode()
    assert "51–53 of 53" in second
    assert "Role 2" in second
    assert "Role 52" not in second


def test_shows_a_change_set_with_who_and_why(client: Client, owner: Any) -> None:
    role, change = _renamed(owner, reason="Spring cleaning")
    text = _get(client, f"/audit/{change}/").content.decode()
    for shown in ("Marta", "Spring cleaning", "Packer</del>", "Checker</ins>", f"/settings/roles/{role.pk}/"):
        assert shown in text, shown


def test_shows_a_big_change_set_in_parts(client: Client, owner: Any) -> None:
    roles = [Role(name=f"Role {number:03}") for number in range(60)]
    change = _by(owner, lambda: bulk.bulk_create(Role, roles))
    text = _get(client, f"/audit/{change}/").content.decode()
    assert "60 changes" in text
    assert "Role 049" in text
    assert "Role 050" not in text
    following = text.split("?after=")[1].split('"')[0]
    assert "Role 059" in _get(client, f"/audit/{change}/?after={following}").content.decode()


def test_opens_a_change_set_inside_the_log(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    part = _get(client, f"/audit/{change}/changes/", **{"HX-Request": "true", "HX-Target": f"div#changes-{change}"})
    assert "<html" not in part.content.decode()
    assert "Checker</ins>" in part.content.decode()
    assert client.get(f"/audit/{change}/changes/").headers["Location"] == f"/audit/{change}/"


def test_shows_what_happened_to_one_entity(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    text = _get(client, f"/audit/history/Role/{role.pk}/").content.decode()
    assert "History of Checker" in text
    assert f"/audit/{change}/" in text
    part = _get(
        client, f"/audit/history/Role/{role.pk}/", **{"HX-Request": "true", "HX-Target": "section#entity-history"}
    )
    assert part.content.decode().lstrip().startswith("<section")
    inside = {"HX-Request": "true", "HX-Target": "section#entity-history"}
    inside["HX-Current-URL"] = f"http://shop.{settings.BASE_DOMAIN}/settings/x/"
    assert "next=/settings/x/" in _get(client, f"/audit/history/Role/{role.pk}/", **inside).content.decode()
    assert client.get("/audit/history/Role/nonsense/").status_code == 404
    assert client.get(f"/audit/history/Spaceship/{role.pk}/").status_code == 404


def test_gives_pages_of_entities_their_history_if_it_may_be_read() -> None:
    part = Template('{% include "audit/history_part.html" with model="Role" id="1-2-3" only %}')
    reader = actor.Actor(kind=actor.ActorKind.USER, id="1", name="Rea", permissions=frozenset({"audit:read"}))
    with actor.use(reader):
        assert 'hx-get="/audit/history/Role/1-2-3/"' in part.render(Context())
    with actor.use(actor.Actor(kind=actor.ActorKind.USER, id="2", name="Pia")):
        assert not part.render(Context()).strip()


def test_hides_the_log_from_those_who_may_not_read_it(client: Client) -> None:
    picker = make_user(role="picker")
    role, change = _renamed(picker)
    client.force_login(picker)
    for path in ("/audit/", f"/audit/{change}/", f"/audit/{change}/changes/", f"/audit/history/Role/{role.pk}/"):
        assert client.get(path).status_code == 403, path
    client.logout()
    assert client.get("/audit/").status_code == 302


# --- Undo -----------------------------------------------------------------------------------------------------------
def _undo(client: Client, change: Any) -> Any:
    return client.post(f"/audit/{change}/undo/", headers={"HX-Request": "true", "HX-Target": "div#toasts"})


def test_undoes_and_offers_to_do_it_again(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    answer = _undo(client, change)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert (answer.status_code, toast["message"]) == (200, "Undone: Change: Checker")
    assert Role.objects.get(pk=role.pk).name == "Packer"
    undone = ChangeSet.objects.get(reverts_id=change)
    assert toast["undo_url"] == f"/audit/{undone.pk}/undo/"
    assert (undone.actor_id, undone.source) == (str(owner.pk), "PAGE")
    again = json.loads(client.post(toast["undo_url"], headers={"HX-Request": "true"}).headers["HX-Trigger"])["toast"]
    assert again["message"] == "Done again: Change: Checker"
    assert Role.objects.get(pk=role.pk).name == "Checker"


def test_undoes_by_a_plain_form_and_goes_back(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    answer = client.post(f"/audit/{change}/undo/", {"next": "/settings/roles/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/settings/roles/")
    assert Role.objects.get(pk=role.pk).name == "Packer"
    away = client.post(f"/audit/{ChangeSet.objects.get(reverts_id=change).pk}/undo/", {"next": "https://evil.example/"})
    assert away.headers["Location"] == "/"


def test_says_plainly_that_it_was_undone_already(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    _undo(client, change)
    answer = _undo(client, change)
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "Marta has undone this already."
    plain = client.post(f"/audit/{change}/undo/")
    assert plain.status_code == 409
    assert "Marta has undone this already." in plain.content.decode()


def test_lets_people_undo_their_own_without_the_permission_to_revert(client: Client) -> None:
    picker = make_user(role="picker", name="Pia")
    client.force_login(picker)

    def theme() -> None:
        picker.theme = "dark"
        picker.save()

    change = _by(picker, theme)
    answer = _undo(client, change)
    assert answer.status_code == 200, answer.content
    assert User.objects.get(pk=picker.pk).theme == "light"


def test_refuses_to_undo_what_others_did_and_what_is_older_than_a_day(client: Client, owner: Any) -> None:
    _, theirs = _renamed(owner)
    staff = make_user(role="staff")
    client.force_login(staff)
    refused = _undo(client, theirs)
    assert (refused.status_code, refused.json()["permission"]) == (403, "audit:revert")
    with time_machine.travel(timezone.now() - timedelta(hours=25), tick=False):

        def theme() -> None:
            staff.theme = "dark"
            staff.save()

        mine = _by(staff, theme)
    assert _undo(client, mine).status_code == 403


def test_undoes_only_by_post_what_there_is_and_for_whoever_is_signed_in(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    assert client.get(f"/audit/{change}/undo/").status_code == 405
    assert _undo(client, new_id()).status_code == 404
    client.logout()
    assert _undo(client, change).status_code == 401
    assert not ChangeSet.objects.filter(reverts_id=change).exists()


# --- The sheet ------------------------------------------------------------------------------------------------------
def test_shows_what_a_revert_will_do(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    text = _get(client, f"/audit/{change}/revert/").content.decode()
    assert "Revert 1 change<" in text
    assert "goes back" in text
    sheet = _get(
        client, f"/audit/{change}/revert/", **{"HX-Request": "true", "HX-Target": "dialog#sheet"}
    ).content.decode()
    assert "<html" not in sheet
    assert 'name="sheet"' in sheet
    assert Role.objects.get(pk=role.pk).name == "Checker"


def test_reverts_from_the_page_and_leads_back(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    answer = client.post(f"/audit/{change}/revert/", {"next": "/audit/?action=tests.change"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/audit/?action=tests.change")
    assert Role.objects.get(pk=role.pk).name == "Packer"
    page = client.get("/audit/").content.decode()
    assert "Undone: Change: Checker" in page


def test_asks_about_what_was_changed_since(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    role.name = "Counter"
    role.save()
    text = _get(client, f"/audit/{change}/revert/").content.decode()
    for shown in ("1 changed since (decide)", ">Packer<", ">Checker<", ">Counter<", "Revert chosen changes"):
        assert shown in text, shown
    for target in ("main#main", "dialog#sheet"):
        headers = {"HX-Request": "true", "HX-Target": target}
        undecided = client.post(f"/audit/{change}/revert/", {"sheet": "yes"}, headers=headers)
        assert undecided.status_code == 409
        assert "Decide field by field" in undecided.content.decode()
        assert "<html" not in undecided.content.decode()
    assert "<html" in client.post(f"/audit/{change}/revert/").content.decode()
    client.post(f"/audit/{change}/revert/", {"take": f"Role:{role.pk}:name"})
    assert Role.objects.get(pk=role.pk).name == "Packer"


def test_reverts_one_entity_of_a_change_set(client: Client, owner: Any) -> None:
    first, second = Role.objects.create(name="A"), Role.objects.create(name="B")

    def change() -> None:
        for role in (first, second):
            role.permissions = ["orders:read"]
            role.save()

    change_id = _by(owner, change)
    client.post(f"/audit/{change_id}/revert/", {"entity_type": "Role", "entity_id": str(first.pk)})
    assert [Role.objects.get(pk=role.pk).permissions for role in (first, second)] == [[], ["orders:read"]]


def test_offers_no_revert_to_those_who_may_not(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    staff = make_user(role="staff")
    client.force_login(staff)
    assert f"/audit/{change}/revert/" not in client.get("/audit/").content.decode()
    assert client.get(f"/audit/{change}/revert/").status_code == 403
    assert client.post(f"/audit/{change}/revert/").status_code == 403


# --- Requests are deeds ---------------------------------------------------------------------------------------------
def test_records_a_request_as_one_deed_with_its_origin(client: Client, owner: Any) -> None:
    client.post(
        reverse("accounts:theme"),
        {"theme": "dark"},
        headers={"X-Request-ID": "req-from-test", "User-Agent": "Firefox"},
    )
    change_set = ChangeSet.objects.get(request_id="req-from-test")
    assert (change_set.actor_id, change_set.actor_name, change_set.source) == (str(owner.pk), "Marta", "PAGE")
    assert (change_set.user_agent, change_set.action.split(".")[0]) == ("Firefox", "accounts")


def test_leaves_no_trace_of_a_request_that_changes_nothing(client: Client, owner: Any) -> None:  # signs in
    before = ChangeSet.objects.count()
    client.get("/audit/")
    client.post("/audit/00000000-0000-7000-8000-000000000000/undo/")
    assert ChangeSet.objects.count() == before

"""The bell: who is told what, what is unread, read, dismissed; each for himself."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from common.testing.people import make_user
from notifications import queries, services
from notifications.choices import NotificationType
from notifications.models import Notification
from notifications.queries import Reader

pytestmark = pytest.mark.django_db


def tell(title: str, user: User | None = None, **values: Any) -> Notification:
    options: dict[str, Any] = {"type": NotificationType.SYSTEM_ALERT, "idempotency_key": title, **values}
    services.notify(user_id=user.pk if user else None, title=title, **options)
    return Notification.objects.get(idempotency_key=options["idempotency_key"])


def reader(user: User, *permissions: str) -> Reader:
    return Reader(user.pk, frozenset(permissions))


def titles(found: Any) -> list[str]:
    return [row.title for row in found]


@pytest.fixture
def ana(client: Client) -> User:
    """Answer an owner, who is signed in."""
    user: User = make_user(role="owner", name="Ana")
    client.force_login(user)
    return user


def test_tells_each_what_is_his_and_what_he_may_see(ana: User) -> None:
    ben = make_user(role="picker", name="Ben")
    tell("to Ana", ana)
    tell("to Ben", ben)
    tell("to all")
    tell("to who syncs", permission="sync:read")
    assert titles(queries.listed(reader(ana, "sync:read")).order_by("title")) == ["to Ana", "to all", "to who syncs"]
    assert titles(queries.listed(reader(ben)).order_by("title")) == ["to Ben", "to all"]


def test_tells_once_however_often_it_is_told(ana: User) -> None:
    tell("again", ana)
    tell("again", ana)
    assert Notification.objects.count() == 1


def test_marks_read_and_dismisses_for_one_alone(ana: User) -> None:
    ben, now = make_user(role="picker"), timezone.now()
    first, second = tell("one"), tell("two")
    services.mark_read(notification_ids=[first.pk], reader=reader(ana), now=now)
    services.dismiss(notification_id=second.pk, reader=reader(ana), now=now)
    services.dismiss(notification_id=first.pk, reader=reader(ana), now=now)  # read before
    assert titles(queries.listed(reader(ana))) == []
    assert len(queries.unread(reader(ben))) == 2


def test_groups_many_of_a_kind(ana: User) -> None:
    for number in range(5):
        tell(f"Order {number}", ana, type=NotificationType.ORDER_NEW)
    tell("Export is done", ana, type=NotificationType.JOB_DONE)
    bell = queries.bell(reader(ana))
    assert (bell.unread_count, titles(bell.rows)) == (6, ["Export is done", "5 new orders"])


def test_refuses_actions_that_lead_elsewhere(ana: User) -> None:
    for url in ("https://evil.example", "//evil.example", "javascript:alert(1)"):
        with pytest.raises(ValueError, match="leads out"):
            tell("trap", ana, action_url=url)


def test_shows_the_bell_and_the_list(client: Client, ana: User) -> None:
    tell("Export <b>is done</b>", ana, action_url="/jobs/", action_label="Open jobs")
    for name in ("bell", "list"):
        text = client.get(reverse(f"notifications:{name}")).content.decode()
        assert "Export &lt;b&gt;is done&lt;/b&gt;" in text
        assert "Open jobs" in text
    assert "Notifications, 1 unread" in client.get(reverse("notifications:bell")).content.decode()


def test_opens_what_it_leads_to_and_notes_that_it_was_read(client: Client, ana: User) -> None:
    row = tell("Export is done", ana, action_url="/jobs/")
    answer = client.post(reverse("notifications:open", args=[row.pk]))
    assert (answer.status_code, answer["Location"]) == (302, "/jobs/")
    assert queries.bell(reader(ana)).unread_count == 0


def test_marks_all_of_a_group_and_all_there_are(client: Client, ana: User) -> None:
    rows = [tell(f"Order {number}", ana, type=NotificationType.ORDER_NEW) for number in range(5)]
    tell("Export is done", ana)
    client.post(reverse("notifications:read", args=[rows[0].pk]) + "?all=1")
    assert titles(queries.unread(reader(ana))) == ["Export is done"]
    client.post(reverse("notifications:read_all"))
    assert queries.bell(reader(ana)).unread_count == 0


def test_hides_what_is_told_to_others(client: Client, ana: User) -> None:
    row = tell("secret", make_user(role="picker"))
    for name in ("open", "read", "dismiss"):
        assert client.post(reverse(f"notifications:{name}", args=[row.pk])).status_code == 404
    assert "secret" not in client.get(reverse("notifications:list")).content.decode()


def test_answers_over_the_api(client: Client, ana: User) -> None:
    first, second = tell("one", ana, action_url="/jobs/"), tell("two", ana)
    post: dict[str, Any] = {"content_type": "application/json"}
    assert client.post(f"/api/v1/notifications/{first.pk}/read", **post).status_code == 204
    body = client.get("/api/v1/notifications", {"unread": "true"}).json()
    assert [row["title"] for row in body["results"]] == ["two"]
    rows = client.get("/api/v1/notifications").json()["results"]
    assert [(row["title"], row["is_read"]) for row in rows] == [("two", False), ("one", True)]
    assert rows[1]["action_url"].endswith("/jobs/")
    assert client.post("/api/v1/notifications/read-all", **post).json() == {"read": 1}
    assert client.post(f"/api/v1/notifications/{second.pk}/dismiss", **post).status_code == 204
    assert len(client.get("/api/v1/notifications").json()["results"]) == 1
    other = tell("theirs", make_user(role="picker"))
    assert client.post(f"/api/v1/notifications/{other.pk}/dismiss", **post).status_code == 404


def test_each_chooses_how_he_is_told(ana: User, client: Client) -> None:
    url = reverse("notifications:settings")
    assert client.get(url).content.decode().count(" checked>") == 7
    client.post(url, {"in_app": ["oversold", "nonsense"], "email": []})
    assert [(way.type, way.in_app, way.email) for way in queries.ways_of(ana.pk)][:2] == [
        ("oversold", True, False), ("order_new", False, None),
    ]  # fmt: skip
    tell("an alert")
    tell("sold twice", type=NotificationType.OVERSOLD)
    assert titles(queries.listed(reader(ana))) == ["sold twice"]
    client.post(url, {"in_app": ["system_alert"], "email": ["oversold"]})
    assert titles(queries.unread(reader(ana))) == ["an alert"]

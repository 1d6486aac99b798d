"""Whose jobs one sees, and what the pages and the API say about them."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from common import actor
from common.testing.people import make_user
from jobs import queries, services
from jobs.choices import JobStatus
from jobs.models import JobRun
from jobs.runner import Run, run_job
from jobs.tests.factories import acting, declared, nobody

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kind() -> Any:
    """Have a kind of job that leaves a file, and one that fails."""

    def export(run: Run) -> dict[str, Any]:
        with run.file("bricks.csv", media_type="text/csv") as stream:
            stream.write(b"3001,4\n")
        run.log("Wrote one line.")
        return {"message": "One brick exported."}

    with declared("bricks.export", export, label="Export of bricks"):
        yield


def job_of(user: "User", *, runs: bool = False, key: str = "") -> JobRun:
    with actor.use(acting(user)):
        job = services.start("bricks.export", key=key)
    if runs:
        run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    return job


@pytest.fixture
def owner(client: Client) -> "User":
    """Answer an owner, who is signed in."""
    user: User = make_user(role="owner")
    client.force_login(user)
    return user


def page(client: Client, name: str, *args: object, **headers: str) -> Any:
    return client.get(reverse(f"jobs:{name}", args=args), headers=headers)


def test_shows_a_job_with_its_log_and_file(client: Client, owner: "User") -> None:
    job = job_of(owner, runs=True)
    text = page(client, "detail", job.id).content.decode()
    assert "One brick exported." in text
    assert "Wrote one line." in text
    answer: Any = client.get(reverse("jobs:file", args=[job.id, 0]))
    assert b"".join(answer.streaming_content) == b"3001,4\n"
    assert answer["Content-Disposition"] == 'attachment; filename="bricks.csv"'
    assert client.get(reverse("jobs:file", args=[job.id, 1])).status_code == 404


def test_hides_the_jobs_of_others(client: Client, owner: "User") -> None:
    picker = make_user(role="picker")
    job = job_of(owner, runs=True)
    client.force_login(picker)
    for name, args in (("detail", [job.id]), ("file", [job.id, 0]), ("detail", [nobody()])):
        assert page(client, name, *args).status_code == 404
    for name in ("cancel", "seen"):
        assert client.post(reverse(f"jobs:{name}", args=[job.id])).status_code == 404
    assert "Export of bricks" not in page(client, "list").content.decode()
    assert "Export of bricks" not in page(client, "tray").content.decode()


def test_shows_jobs_of_a_kind_to_who_has_its_permission(client: Client, owner: "User") -> None:
    admin = make_user(role="admin")
    job = job_of(admin)
    assert "Export of bricks" in page(client, "list").content.decode()
    assert page(client, "detail", job.id).status_code == 200
    # The tray is for one's own.
    assert "Export of bricks" not in page(client, "tray").content.decode()


def test_tells_how_far_it_is_and_how_long_it_takes(owner: "User") -> None:
    job = job_of(owner)
    now = timezone.now()
    claimed = services.claim(job_id=job.id, now=now)
    assert claimed is not None
    services.save_progress(
        job_id=job.id,
        attempt=1,
        percent=25,
        message="Writing",
        data={"done": 30_000, "total": 104_212, "unit": "lots", "from": 10_000, "since": now.isoformat()},
        now=now,
    )
    job.refresh_from_db()
    row = queries.row_of(job, who=acting(owner), now=now + timedelta(seconds=40))
    # 20,000 lots in 40 s, 74,212 to go.
    assert row.progress_message == "Writing · 30,000 of 104,212 lots · 2 min left"
    tray = queries.tray(acting(owner), now=now)
    assert (tray.open_count, tray.percent) == (1, 25)


def test_keeps_ended_jobs_in_the_tray_until_they_were_seen(client: Client, owner: "User") -> None:
    done, failed = job_of(owner, runs=True), job_of(owner, key="f")
    claimed = services.claim(job_id=failed.id, now=timezone.now())
    assert claimed is not None
    services.fail(job_id=failed.id, attempt=claimed.attempt, reason="The disk is full.", now=timezone.now())
    text = page(client, "tray").content.decode()
    assert "1 failed job" in text
    assert "The disk is full." in text

    client.post(reverse("jobs:clear"))
    tray = queries.tray(acting(owner), now=timezone.now())
    assert [row.id for row in tray.rows] == [failed.id]
    client.post(reverse("jobs:seen", args=[failed.id]))
    assert queries.tray(acting(owner), now=timezone.now()).rows == ()
    assert done.id != failed.id


def test_leaves_the_tray_of_the_starter_to_the_starter(client: Client, owner: "User") -> None:
    admin = make_user(role="admin")
    job = job_of(admin, runs=True)
    client.post(reverse("jobs:seen", args=[job.id]))
    job.refresh_from_db()
    assert job.seen_at is None


def test_cancels_a_job_from_its_page_and_from_the_tray(client: Client, owner: "User") -> None:
    first, second = job_of(owner), job_of(owner, key="2")
    answer = client.post(reverse("jobs:cancel", args=[first.id]))
    assert answer.status_code == 302
    answer = client.post(reverse("jobs:cancel", args=[second.id]), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "live:jobs" in answer["HX-Trigger"]
    assert set(JobRun.objects.values_list("status", flat=True)) == {JobStatus.CANCELLED}
    # Nothing to cancel any more: a conflict, not an error of ours.
    assert client.post(reverse("jobs:cancel", args=[first.id])).status_code == 409


def test_answers_the_part_that_htmx_asks_for(client: Client, owner: "User") -> None:
    job = job_of(owner)
    text = page(client, "detail", job.id, **{"HX-Request": "true", "HX-Target": "div#job"}).content.decode()
    assert text.strip().startswith('<div id="job"')
    text = page(client, "list", **{"HX-Request": "true", "HX-Target": "div#rows"}).content.decode()
    assert text.strip().startswith('<div id="rows"')


def test_lists_by_status_and_says_what_it_does_not_know(client: Client, owner: "User") -> None:
    job_of(owner, runs=True)
    url = reverse("jobs:list")
    assert "Export of bricks" in client.get(url, {"status": "COMPLETED"}).content.decode()
    assert "Export of bricks" not in client.get(url, {"status": "FAILED"}).content.decode()
    text = client.get(url, {"status": "<b>", "page": "x"}).content.decode()
    assert "“&lt;b&gt;” is not a status" in text
    assert "Export of bricks" in text


def test_says_that_a_file_is_kept_for_a_week(client: Client, owner: "User") -> None:
    job = job_of(owner, runs=True)
    services.purge(now=timezone.now() + timedelta(days=8))
    answer = client.get(reverse("jobs:file", args=[job.id, 0]))
    assert answer.status_code == 410


# --- API -------------------------------------------------------------------------------------------------------------


def api(client: Client, path: str, **query: str) -> Any:
    return client.get(f"/api/v1/jobs{path}", query)


def test_answers_jobs_over_the_api(client: Client, owner: "User") -> None:
    job = job_of(owner, runs=True)
    body = api(client, f"/{job.id}").json()
    assert (body["status"], body["progress_percent"]) == ("COMPLETED", 100)
    assert body["result"]["message"] == "One brick exported."
    assert body["created_by"] == str(owner.pk)
    assert [row["id"] for row in api(client, "").json()["results"]] == [str(job.id)]
    assert api(client, "", status="FAILED").json()["results"] == []
    assert [line["message"] for line in api(client, f"/{job.id}/logs").json()["results"]] == ["Wrote one line."]
    assert api(client, f"/{nobody()}").status_code == 404


def test_gives_a_link_to_a_file_for_ten_minutes(client: Client, owner: "User") -> None:
    job = job_of(owner, runs=True)
    url = api(client, f"/{job.id}").json()["result"]["files"][0]["url"]
    path = "/jobs/files/" + url.rpartition("/jobs/files/")[2]
    client.logout()
    answer: Any = client.get(path)
    assert b"".join(answer.streaming_content) == b"3001,4\n"
    assert client.get(path.replace("/files/", "/files/x")).status_code == 404
    with travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert client.get(path).status_code == 404


def test_cancels_over_the_api(client: Client, owner: "User") -> None:
    job = job_of(owner)
    answer = client.post(f"/api/v1/jobs/{job.id}/cancel", content_type="application/json")
    assert answer.status_code == 202
    assert answer["Location"].endswith(f"/api/v1/jobs/{job.id}")
    assert answer.json()["status"] == "CANCELLED"
    assert client.post(f"/api/v1/jobs/{job.id}/cancel", content_type="application/json").status_code == 409

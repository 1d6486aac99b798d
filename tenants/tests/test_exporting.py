"""All of a shop's data in one file: whole, readable, and without what opens doors."""

import io
import json
import re
import tracemalloc
from typing import IO, Any, cast
from zipfile import ZipFile

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_tokens
from common.testing.people import PASSWORD, make_user
from jobs import queries as jobs
from jobs.models import JobLog, JobRun
from notifications.services import queue_email
from tenants import schemas, services
from tenants.services import exporting
from tenants.tests.people import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def _export() -> dict[str, bytes]:
    stream = io.BytesIO()
    services.write_export(stream=stream, now=timezone.now(), progress=lambda _done, _total: None)
    with ZipFile(stream) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def _rows(files: dict[str, bytes], label: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[f"data/{label}.jsonl"].splitlines()]


def test_has_every_row_of_the_shop():
    user = make_user(role="owner", name='Ana "the\\\tbrick" Silva\n')
    User.objects.get(pk=user.pk)

    files = _export()

    manifest = json.loads(files["manifest.json"])
    assert {entry["file"] for entry in manifest["tables"]} <= set(files)
    for entry in manifest["tables"]:
        assert len(files[entry["file"]].splitlines()) == entry["rows"]
    found = _rows(files, "accounts.user")
    assert [(row["id"], row["email"], row["display_name"]) for row in found] == [
        (str(user.pk), user.email, user.display_name)
    ]
    assert {row["name"] for row in _rows(files, "accounts.role")} == {"owner", "admin", "staff", "picker", "readonly"}
    shop = json.loads(files["shop.json"])
    assert (shop["name"], shop["hosts"]) == ("Test shop", ["shop.testserver.localhost"])
    assert "Test shop" in files["README.txt"].decode()


def test_has_nothing_that_opens_a_door():
    user = make_user(role="owner")
    pair = issue_tokens(email=user.email, password=PASSWORD, now=timezone.now())
    queue_email(
        template_key="email_verification",
        to="ana@example.com",
        context={"user_name": "Ana", "code": "Z9Z9-X8X8", "expires_in": "15 minutes"},
        idempotency_key="planted",
    )
    everything = b"".join(_export().values())

    for secret in (user.password, pair.refresh_token, pair.access_token, "Z9Z9-X8X8"):
        assert secret.encode() not in everything
    jti = User.objects.get(pk=user.pk).refresh_tokens.get().jti
    assert str(jti).encode() not in everything


_SUSPICIOUS = re.compile(r"password|secret|token|hash|credential|session|seed|(?:^|_)code$|(?:^|_)key$|body_")
# Columns that sound like a secret and are none.
_HARMLESS = {
    "inventory.historicallocation.code": "stands on a label",
    "inventory.inventoryimport.idempotency_key": "names a wish",
    "inventory.inventoryitem.location_key": "sorts by place",
    "inventory.location.code": "stands on a label",
    "inventory.location.route_key": "sorts places",
    "inventory.rememberedmapping.columns_hash": "of columns' names",
    "inventory.repricingrun.idempotency_key": "names a wish",
    "orders.orderfile.idempotency_key": "names a wish",
    "inventory.stockmovement.cause_key": "names a cause",
    "sync.syncrun.idempotency_key": "names a wish",
    "orders.orderline.channel_key": "names a line as its channel does",
    "picker.pickevent.body_digest": "of what a pick says",
    "picker.pickevent.idempotency_key": "names a pick",
    "picker.pickevent.key": "names a pick",
    "picker.pickevent.location_code": "stands on a label",
    "picker.pickevent.session_id": "names a walk",
    "picker.picker.session_id": "names a walk",
    "picker.picksessionorder.batch_code": "stands on a tote",
    "picker.picksessionorder.session_id": "names a walk",
    "picker.pickstop.location_code": "stands on a label",
    "picker.pickstop.session_id": "names a walk",
    "accounts.historicaluser.credentials_changed_at": "a time",
    "accounts.user.credentials_changed_at": "a time",
    "jobs.jobrun.idempotency_key": "names a wish",
    "notifications.notification.idempotency_key": "names a wish",
    "notifications.queuedemail.idempotency_key": "names a wish",
    "notifications.queuedemail.template_key": "names a template",
}


def test_has_no_column_that_sounds_like_a_secret():
    sounding = {
        f"{table.label}.{column}"
        for table in exporting.tables()
        for column in table.columns
        if _SUSPICIOUS.search(column)
    }
    assert sounding == set(_HARMLESS)


def test_leaves_out_only_tables_that_there_are():
    labels = {model._meta.label_lower for model in schemas.tenant_models()}
    assert set(exporting.WITHHELD_TABLES) <= labels
    assert set(exporting.WITHHELD_COLUMNS) <= labels


def test_is_a_job_whose_file_waits_on_its_page(client: Any, settings: Any, tmp_path: Any):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    sign_in(client)
    page = client.get("/settings/data/").content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    first = client.post("/settings/data/export/", {"key": key[1]})
    again = client.post("/settings/data/export/", {"key": key[1]})

    assert first.headers["Location"] == again.headers["Location"]
    job = JobRun.objects.get()
    assert job.status == "COMPLETED", job.error_message
    assert job.result
    name = job.result["files"][0]["name"]
    assert re.fullmatch(r"shop-\d{4}-\d\d-\d\d\.zip", name)
    response = client.get(f"/jobs/{job.pk}/files/0/")
    with ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert "manifest.json" in archive.namelist()
    client.post("/account/logout/")
    assert client.get(f"/jobs/{job.pk}/files/0/").status_code in (302, 401, 404)


@pytest.mark.parametrize(("role", "status"), [("admin", 302), ("staff", 403), ("picker", 403), ("readonly", 403)])
def test_is_for_those_who_may_change_the_settings(client: Any, role: str, status: int):
    sign_in(client, role=role)

    assert client.post("/settings/data/export/", {"key": "once"}).status_code == status


def test_starts_over_http(client: Any):
    user = make_user(role="admin")
    pair = issue_tokens(email=user.email, password=PASSWORD, now=timezone.now())
    response = client.post(
        "/api/v1/tenant/export", content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {pair.access_token}"
    )

    assert response.status_code == 202
    assert jobs.find(response.json()["id"])
    assert response.headers["Location"] == f"/api/v1/jobs/{response.json()['id']}"


def test_needs_no_more_memory_for_more_rows():
    job = JobRun.objects.create(
        job_type="x", label="x", idempotency_key="x", actor_type="SYSTEM", actor_name="x", status="PENDING"
    )

    def peak(count: int) -> int:
        JobLog.objects.bulk_create(
            JobLog(job=job, level="INFO", message=f"{number} {'x' * 200}", at=timezone.now()) for number in range(count)
        )
        tracemalloc.start()
        services.write_export(
            stream=cast("IO[bytes]", _Nowhere()), now=timezone.now(), progress=lambda _done, _total: None
        )
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(100)
    assert peak(20_000) < 1.3 * peak(1_000)


class _Nowhere(io.RawIOBase):
    """A stream that forgets what is written and knows where it is, as ZipFile needs."""

    def __init__(self) -> None:
        self._at = 0

    def write(self, data: Any) -> int:
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing waits."""


def test_is_of_one_moment():
    with schemas.snapshot("t_shop") as reader:
        assert reader.execute("SELECT count(*) FROM accounts_user").fetchone() == (0,)
        make_user(role="owner")
        assert reader.execute("SELECT count(*) FROM accounts_user").fetchone() == (0,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user")
        assert cursor.fetchone() == (1,)

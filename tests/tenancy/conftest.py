"""A second shop, full of things with a mark that must never be seen in the first."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import services as people
from accounts.models import Session, User
from audit import context
from audit.models import ChangeSet
from common import actor
from common.testing.clients import ShopClient
from common.testing.people import PASSWORD, make_user
from inventory.services import repricing
from inventory.testing import make_lot
from jobs import files
from jobs.models import JobLog, JobRun
from notifications.choices import NotificationType
from notifications.models import Notification
from notifications.services import notify
from orders.testing import type_in
from stores import services as stores
from tenants.models import Tenant
from tenants.testing import create_shop, in_schema

MARK = "MARKED-8d1f"


@dataclass(frozen=True, slots=True)
class Other:
    """The second shop: its people, a key of each kind of thing in it, its tokens."""

    tenant: Tenant
    host: str
    owner: User
    ids: dict[str, str]
    repricing_ids: tuple[str, str]
    tokens: Any
    checksum: Callable[[], dict[str, str]]

    @property
    def schema(self) -> str:
        return self.tenant.schema_name


def checksums(schema: str) -> dict[str, str]:
    """Answer a checksum of every table of the schema, so that any change of any row shows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1", [schema]
        )
        names = [name for (name,) in cursor.fetchall()]
        query = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {schema}.{name} t"  # noqa: S608  # names from the catalog
            for name in names
        )
        cursor.execute(query)
        return dict(cursor.fetchall())


@pytest.fixture
def other() -> Other:
    """Make the second shop with something of every kind in it."""
    host = f"other.{settings.BASE_DOMAIN}"
    tenant = create_shop(schema="t_other", host=host, name=f"{MARK} shop")
    with in_schema("t_other"), context.change_set("tests.fill", reason=MARK):
        owner = make_user(role="owner", email="marked@other.example", name=MARK)
        colleague = make_user(role="picker", name=f"{MARK} colleague")
        role = people.create_role(name=f"{MARK} role", permissions=["orders:read"])
        invitation = people.invite_user(email="marked-guest@other.example", roles=["picker"], now=timezone.now())
        ShopClient(host=host).post("/account/login/", {"login": owner.email, "password": PASSWORD})
        job = _job(owner)
        store = stores.create_store(
            channel="brickowl", name=MARK, credentials={"key": f"{MARK}-key"}, now=timezone.now()
        )
        with actor.use(actor.SYSTEM):
            notify(user_id=None, type=NotificationType.JOB_DONE, title=MARK, body=MARK, idempotency_key="marked")
            rule = repricing.create_rule(values={"name": MARK, "basis": "sold_avg"})
            run = repricing.run_rule(rule_id=rule.pk, key="marked", now=timezone.now())
        ids = {
            "user": str(colleague.pk),
            "owner": str(owner.pk),
            "role": str(role.pk),
            "invitation": str(invitation.pk),
            "session": str(Session.objects.filter(user=owner).get().public_id),
            "job": str(job.pk),
            "change set": str(ChangeSet.objects.latest("created_at").pk),
            "notification": str(Notification.objects.get(idempotency_key="marked").pk),
            "store": str(store.pk),
            "tenant": str(tenant.pk),
            **_order(),
        }
        tokens = people.issue_tokens(email=owner.email, password=PASSWORD, now=timezone.now())
    return Other(tenant, host, owner, ids, (str(rule.pk), str(run.pk)), tokens, lambda: checksums("t_other"))


def _order() -> dict[str, str]:
    """Answer the keys of a marked order with all that belongs to it."""
    lot = make_lot(qty=3, item_name=MARK, remarks=MARK)
    order = type_in((lot, 2), buyer_name=f"{MARK} buyer", buyer_email="marked@other.example", notes=MARK)
    return {
        "lot": str(lot.pk),
        "order": str(order.pk),
        "order line": str(order.lines.get().pk),
        "buyer": str(order.buyer_id),
    }


def _job(owner: User) -> JobRun:
    now = timezone.now()
    job = JobRun.objects.create(
        job_type="tenant_export", label=MARK, idempotency_key=MARK, actor_type="USER", actor_id=str(owner.pk),
        actor_name=MARK, created_by=owner, status="RUNNING", attempt=1, started_at=now,
        last_heartbeat_at=now - timedelta(days=1), progress_message=MARK,
    )  # fmt: skip
    JobLog.objects.create(job=job, level="INFO", message=MARK, at=now)
    kept = files.keep(job_id=job.pk, name="marked.txt", media_type="text/plain", content=io.BytesIO(MARK.encode()))
    job.result = {"message": MARK, "files": [kept]}
    job.save()
    return job


@pytest.fixture(autouse=True)
def _files_of_the_test(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }

"""Uses core as a second project does, and prints what came of it."""

import json
import sys
from typing import Any

import django
from celery import Celery

django.setup()

from django.contrib.auth import authenticate, get_user_model  # noqa: E402  # Django is set up only now
from django.core import mail  # noqa: E402  # see above
from django.core.management import call_command  # noqa: E402  # see above
from django.db import transaction  # noqa: E402  # see above
from django.test import Client  # noqa: E402  # see above
from django.utils import timezone  # noqa: E402  # see above

from accounts import services as people  # noqa: E402  # see above
from accounts.middleware import actor_of  # noqa: E402  # see above
from audit import context  # noqa: E402  # see above
from audit import services as audit  # noqa: E402  # see above
from audit.models import ChangeSet  # noqa: E402  # see above
from common import actor, entitlements, workspace  # noqa: E402  # see above
from events.bus import publish  # noqa: E402  # see above
from jobs import services as jobs  # noqa: E402  # see above
from jobs.base import ContextTask  # noqa: E402  # see above
from jobs.models import JobRun  # noqa: E402  # see above
from notifications.choices import NotificationType  # noqa: E402  # see above
from notifications.services import notify  # noqa: E402  # see above
from tests.embed import tasks  # noqa: E402  # see above

# An embedder's own Celery app, on the base task of core.
app = Celery("embed", task_cls=ContextTask)
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")

PASSWORD = "correct horse battery"
FOREIGN = ("brikonnect", "tenants", "django_tenants", "tenant_schemas_celery")


def smoke() -> dict[str, Any]:
    """Migrate, make people, change and take back, count in a job, tell, mail, sign in."""
    call_command("migrate", verbosity=0, interactive=False)
    app.autodiscover_tasks(
        ["events", "jobs", "notifications", "accounts", "audit", "common", "tests.embed"], force=True
    )
    found: dict[str, Any] = {"workspace": workspace.current().name, "edition": entitlements.current().edition()}
    with context.change_set("embed.begin"):
        owner = people.create_user(
            email="Ana@Embedder.example", display_name="Ana", roles=["owner"], password=PASSWORD, is_verified=True
        )
    found["can"] = actor_of(get_user_model().objects.get(pk=owner.pk)).can("orders:read")
    found["signs in"] = authenticate(None, email="ana@embedder.example", password=PASSWORD) == owner
    found["token"] = bool(people.issue_tokens(email=owner.email, password=PASSWORD, now=timezone.now()).access_token)
    with actor.use(actor_of(owner)), context.change_set("accounts.update_profile") as deed:
        people.update_profile(user_id=owner.pk, display_name="Anna")
        assert deed.change_set_id  # something was changed
        found["undone"] = bool(audit.revert(change_set_id=deed.change_set_id))
    found["name"] = get_user_model().objects.get(pk=owner.pk).display_name
    found["deeds"] = ChangeSet.objects.count() >= 2
    with actor.use(actor_of(owner)):
        job = jobs.start("count_bricks", args={"count": 3})
    found["job"] = JobRun.objects.get(pk=job.pk).status
    with transaction.atomic():
        publish(tasks.BricksCounted(count=7))
    found["heard"] = tasks.heard
    notify(user_id=None, type=NotificationType.JOB_DONE, title="Counted", body="", idempotency_key="counted")
    found["mails"] = sorted({message.subject for message in mail.outbox})
    found["door"] = (
        Client(headers={"host": "shop.embedder.example"}).post("/account/login/", {"login": "x"}).status_code
    )
    found["foreign"] = sorted(name for name in sys.modules if name.partition(".")[0] in FOREIGN)
    return found


if __name__ == "__main__":
    print(json.dumps(smoke()))  # noqa: T201  # the answer

"""What is over is deleted by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common import tasks
from common.models import IdempotencyRecord, LimitWindow

pytestmark = pytest.mark.django_db


def test_purges_what_is_over_and_nothing_else() -> None:
    now = timezone.now()
    for key, ends_at in (("old", now - timedelta(seconds=1)), ("new", now + timedelta(hours=1))):
        IdempotencyRecord.objects.create(identity="USER:1", key=key, body_hash="", started_at=now, expires_at=ends_at)
        LimitWindow.objects.create(key=key, count=1, ends_at=ends_at)
    tasks.purge.run()
    assert IdempotencyRecord.objects.get().key == "new"
    assert LimitWindow.objects.get().key == "new"

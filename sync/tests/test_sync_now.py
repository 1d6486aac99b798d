"""The button “Sync now” finishes what it began, also where nobody else may go on with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from jobs.choices import JobStatus
from jobs.models import JobRun
from stores import services as stores
from stores.models import StoreSyncState
from sync.services import pushing, start_sync
from sync.tests.running import work
from sync.tests.sellers import Seller, check_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "hasty")]


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Any:
    made = Seller(sandbox, "bricklink")
    stores.update_store(store_id=made.store.pk, changes={"settings": {"auto_sync": False}})
    yield made
    check_books()


def changed(seller: Seller, *numbers: str) -> list[str]:
    """Answer lots there of which there are fewer here."""
    found = [seller.listed(qty=5, no=no) for no in numbers]
    for lot, _number in found:
        inventory.adjust_stock(lot_id=lot.pk, qty_available=4, now=timezone.now())
    return [number for _lot, number in found]


def message_of(job: JobRun) -> str:
    assert job.result is not None, job.error_message
    return str(job.result["message"])


def test_goes_on_until_all_is_sent(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = changed(seller, "3001", "3003", "3004", "3005", "3006")
    monkeypatch.setattr(pushing, "LONGEST_BY_HAND", timedelta())
    monkeypatch.setattr(pushing, "_MOST_REQUESTS", 2)
    job = work(start_sync(store_id=seller.store.pk))
    assert (job.status, message_of(job)) == (
        JobStatus.COMPLETED, "Orders are read, 5 listings brought up to date.",
    )  # fmt: skip
    assert [seller.there()[number] for number in numbers] == [4] * 5


def test_says_that_nothing_had_to_be_sent_and_leads_back_to_the_store(seller: Seller) -> None:
    job = work(start_sync(store_id=seller.store.pk))
    assert message_of(job) == "Orders are read. Nothing had to be sent."
    assert job.result is not None
    assert job.result["url"] == f"/stores/{seller.store.pk}/"


def test_goes_on_once_the_store_is_back(seller: Seller) -> None:
    numbers = changed(seller, "3001", "3003", "3004")
    seller.sandbox.fault("rate_limit", service="bricklink", method="PUT", nth=2, times=1, retry_after=900)
    job = work(start_sync(store_id=seller.store.pk))
    assert job.status == JobStatus.PENDING, job.error_message
    assert job.next_attempt_at is not None
    assert job.next_attempt_at > timezone.now() + timedelta(minutes=10)
    # Taken up too early it waits on, and says so.
    job = work(job)
    assert job.status == JobStatus.PENDING
    client().flushdb()
    StoreSyncState.objects.update(retry_at=None)
    job = work(job)
    assert (job.status, message_of(job)) == (
        JobStatus.COMPLETED, "Orders are read, 3 listings brought up to date.",
    )  # fmt: skip
    assert [seller.there()[number] for number in numbers] == [4] * 3


def test_stops_where_a_person_has_to_do_something(seller: Seller) -> None:
    changed(seller, "3001", "3003")
    seller.sandbox.fault("token_revoked", service="bricklink", method="PUT", nth=2, times=1)
    job = work(start_sync(store_id=seller.store.pk))
    assert job.status == JobStatus.COMPLETED
    assert "1 listing brought up to date. Sending stock stopped:" in message_of(job)

"""One store of a marketplace that was connected twice is found out before anything is read or sent twice."""

from typing import Any

import pytest
from django.utils import timezone

from common.errors import Conflict
from common.testing.sandbox import SandboxProcess
from events.models import Event
from inventory.models import InventoryExternalId, InventoryItem
from stores import services as stores
from stores.choices import StoreState
from stores.models import Store, StoreSyncState
from sync.choices import RunStatus
from sync.services import connect_store, probe_store, replace_credentials
from sync.services.pulling import pull_orders
from sync.tests.running import carry_out, lines, local, plan
from sync.tests.sellers import Seller, url_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


def second(seller: Seller) -> Store:
    """Answer a store that is opened by another key of the same seller."""
    made = seller.sandbox.control("POST", f"sellers/{seller.id}/credentials")["credentials"]
    return stores.create_store(
        channel=seller.code, name="The same", credentials=made, base_url=url_of(seller.sandbox, seller.code),
        settings={"currency": "EUR"}, now=timezone.now(),
    )  # fmt: skip


def test_the_lots_of_another_store_stop_the_first_look(sandbox: SandboxProcess) -> None:
    seller = Seller(sandbox, "bricklink")
    seller.listed(qty=10)
    before = seller.there()
    twin = second(seller)
    run = plan(twin, local())
    assert run.status == RunStatus.FAILED
    assert f"This is {seller.store.name}, which is connected already" in run.error_message
    assert "Disconnect this one" in run.error_message
    assert lines(run) == []
    state = StoreSyncState.objects.get(store=twin)
    assert (state.state, state.last_error) == (StoreState.NEEDS_RECONNECT, run.error_message)
    # Nor does a test of the connection take it up again.
    tested = probe_store(store_id=twin.pk, now=timezone.now())
    assert tested.error is not None
    assert f"connected already: {seller.store.name}" in str(tested.error.detail)
    assert StoreSyncState.objects.get(store=twin).state == StoreState.NEEDS_RECONNECT
    # Whoever keeps the stores is told, and nothing comes from it or goes to it.
    assert Event.objects.filter(event_type="store.paused", payload__data__store_id=str(twin.pk)).count() == 1
    with pytest.raises(Conflict):
        pull_orders(store_id=twin.pk, now=timezone.now())
    assert seller.there() == before
    assert InventoryItem.objects.count() == 1
    assert not InventoryExternalId.objects.filter(store=twin).exists()


def test_a_second_key_connects_nothing_where_its_lots_are_known(sandbox: SandboxProcess, settings: Any) -> None:
    settings.CHANNEL_URLS = {"bricklink": sandbox.bricklink_url}
    seller = Seller(sandbox, "bricklink")
    seller.listed(qty=10)
    made = sandbox.control("POST", f"sellers/{seller.id}/credentials")["credentials"]
    with pytest.raises(Conflict, match=f"connected already: {seller.store.name}"):
        connect_store(channel="bricklink", credentials=made, now=timezone.now())
    # Another seller's is a store of its own.
    other = sandbox.control("POST", "sellers", {"service": "bricklink", "name": "somebody"})
    store, result = connect_store(channel="bricklink", credentials=other["credentials"], now=timezone.now())
    assert store is not None, result.error
    with pytest.raises(Conflict, match="open another store"):
        replace_credentials(store_id=seller.store.pk, credentials=other["credentials"])


def test_a_store_that_was_disconnected_is_no_twin(sandbox: SandboxProcess) -> None:
    seller = Seller(sandbox, "bricklink")
    seller.listed(qty=10)
    twin = second(seller)
    stores.disconnect_store(store_id=seller.store.pk, now=timezone.now())
    run = plan(twin, local(), options={"new_there": "leave"})
    assert run.status == RunStatus.PREVIEW_READY, run.error_message


def test_a_store_is_not_its_own_twin(sandbox: SandboxProcess) -> None:
    seller = Seller(sandbox, "bricklink")
    seller.put(no="3001")
    carry_out(plan(seller.store, local()))
    assert plan(local(), seller.store, key="again").status == RunStatus.PREVIEW_READY

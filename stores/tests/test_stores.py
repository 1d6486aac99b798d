"""A shop has its counter from the first day, one primary store at most, and secrets that nobody reads by chance."""

import pytest
from django.db import IntegrityError, connection

from stores.choices import Channel, StoreState
from stores.models import Store, StoreCredential

pytestmark = pytest.mark.django_db


def test_a_new_shop_has_a_counter_of_its_own_and_only_one() -> None:
    counter = Store.objects.get(channel=Channel.LOCAL)
    assert (counter.is_enabled, counter.sync_state.state) == (True, StoreState.OK)
    with pytest.raises(IntegrityError):
        Store.objects.create(channel=Channel.LOCAL, name="Another")


def test_one_store_at_most_is_primary() -> None:
    Store.objects.create(channel=Channel.BRICKLINK, name="One", is_primary=True)
    with pytest.raises(IntegrityError):
        Store.objects.create(channel=Channel.BRICKOWL, name="Two", is_primary=True)


def test_what_opens_a_store_is_encrypted_in_the_database() -> None:
    store = Store.objects.create(channel=Channel.BRICKOWL, name="Owl")
    StoreCredential.objects.create(store=store, encrypted_data={"key": "very-secret"}, encryption_key_id="k")  # type: ignore[misc]  # JSON at run time
    with connection.cursor() as cursor:
        cursor.execute("SELECT encrypted_data FROM stores_storecredential")
        assert "very-secret" not in cursor.fetchone()[0]
    assert StoreCredential.objects.get().encrypted_data == {"key": "very-secret"}

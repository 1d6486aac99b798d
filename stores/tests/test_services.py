"""Stores are added, changed, switched off and disconnected; what opens them is never read out."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from audit import services as audit
from audit.context import change_set, current_change_set_id
from audit.errors import NothingToRevert
from common import crypto
from common.errors import (
    BudgetExhausted,
    Conflict,
    CredentialsRefused,
    Invalid,
    NotFound,
    ProviderUnavailable,
    StaleVersion,
)
from common.ids import new_id
from events.models import Event
from stores import queries, services
from stores.choices import Channel, StoreState
from stores.models import Store, StoreCredential, StoreSyncState

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OWL = {"key": "owl-key-0123456789"}
LINK = {"consumer_key": "C" * 32, "consumer_secret": "S" * 32, "token": "T" * 32, "token_secret": "x" * 28 + "9876"}


def _store(**values: Any) -> Store:
    return services.create_store(**{"channel": "brickowl", "name": "Owl", "now": NOW, **values})


def _errors(**values: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        _store(**values)
    return refused.value.errors


def test_adds_a_store_whose_orders_begin_today() -> None:
    store = _store(name="  My   owl ", credentials=OWL)
    view = queries.get_view(store.pk, now=NOW)
    assert (store.name, view.health, view.is_connected) == ("My owl", "ok", True)
    assert view.settings["import_orders_since"] == "2026-11-26"
    assert [(each.label, each.hint) for each in view.credentials] == [("API key", "••••6789")]
    assert Event.objects.filter(event_type="store.connected").exists()


def test_keeps_no_secret_where_it_can_be_read() -> None:
    store = _store(channel="bricklink", credentials=LINK)
    credential = StoreCredential.objects.get(store=store)
    assert credential.encryption_key_id == crypto.key_id()
    assert credential.encrypted_data == LINK
    kept = str(list(Event.objects.values())) + str(list(Store.history.values())) + str(credential.hints)
    assert not [value for value in LINK.values() if value in kept]


@pytest.mark.parametrize(("values", "pointer"), [
    ({"channel": "amazon"}, "/channel"),
    ({"channel": "local"}, "/channel"),
    ({"channel": "etsy"}, "/channel"),
    ({"name": " "}, "/name"),
    ({"name": "x" * 101}, "/name"),
    ({"credentials": {}}, "/credentials/key"),
    ({"credentials": {"key": "has blank"}}, "/credentials/key"),
    ({"credentials": {"key": "ключ"}}, "/credentials/key"),
    ({"credentials": {**OWL, "password": "x"}}, "/credentials/password"),
    ({"settings": {"colour": "red"}}, "/settings/colour"),
    ({"settings": {"sync_interval_hours": 0}}, "/settings/sync_interval_hours"),
    ({"settings": {"sync_interval_hours": True}}, "/settings/sync_interval_hours"),
    ({"settings": {"auto_sync": "yes"}}, "/settings/auto_sync"),
    ({"settings": {"import_orders_since": "yesterday"}}, "/settings/import_orders_since"),
    ({"settings": {"currency": "euro"}}, "/settings/currency"),
    ({"settings": {"fields": ["retain"]}}, "/settings/fields"),
    ({"settings": {"fields": "price"}}, "/settings/fields"),
    ({"settings": {"price_rule": 5}}, "/settings/price_rule"),
    ({"settings": {"price_rule": {"change": "HALF"}}}, "/settings/price_rule/change"),
    ({"settings": {"price_rule": {"value": "NaN"}}}, "/settings/price_rule/value"),
    ({"settings": {"price_rule": {"change": "PERCENT", "value": "-100"}}}, "/settings/price_rule/value"),
    ({"settings": {"price_rule": {"extra": 1}}}, "/settings/price_rule/extra"),
    ({"settings": {"quantity_rule": {"keep_back": -1}}}, "/settings/quantity_rule/keep_back"),
    ({"settings": {"quantity_rule": {"at_most": 0}}}, "/settings/quantity_rule/at_most"),
])  # fmt: skip
def test_says_what_it_does_not_take(values: dict[str, Any], pointer: str) -> None:
    assert list(_errors(**values)) == [pointer]
    assert Store.objects.exclude(channel=Channel.LOCAL).count() == 0


def test_changes_only_the_settings_that_are_given() -> None:
    store = _store(settings={"sync_interval_hours": 6, "price_rule": {"change": "PERCENT", "value": "5.5"}})
    services.update_store(store_id=store.pk, changes={"settings": {"auto_sync": False}})
    settings = queries.get_view(store.pk, now=NOW).settings
    assert (settings["sync_interval_hours"], settings["auto_sync"]) == (6, False)
    assert settings["price_rule"] == {
        "change": "PERCENT", "value": "5.5", "rounding": "NONE", "minimum": None,
        "used_change": None, "used_value": "0",
    }  # fmt: skip
    assert settings["fields"] == ["price", "description", "remarks", "tiers", "bulk", "sale"]


def test_refuses_to_overwrite_what_somebody_else_changed() -> None:
    store = _store()
    services.update_store(store_id=store.pk, changes={"name": "Theirs"}, expected_version=store.version)
    with pytest.raises(StaleVersion):
        services.update_store(store_id=store.pk, changes={"name": "Mine"}, expected_version=store.version)
    with pytest.raises(NotFound):
        services.update_store(store_id=new_id(), changes={"name": "Mine"})


def test_changes_nothing_where_nothing_is_different() -> None:
    store = _store()
    events = Event.objects.count()
    same = services.update_store(store_id=store.pk, changes={"name": "Owl", "settings": {"auto_sync": True}})
    assert (same.version, Event.objects.count()) == (store.version, events)


def test_has_one_primary_store_at_most() -> None:
    first = _store(is_primary=True)
    second = _store(channel="bricklink", name="Link", is_primary=True)
    services.update_store(store_id=first.pk, changes={"is_primary": True})
    assert list(Store.objects.filter(is_primary=True)) == [first]
    second.refresh_from_db()
    assert second.history.count() == 2


def test_refuses_the_same_account_twice() -> None:
    store = _store(credentials=OWL)
    with pytest.raises(Conflict, match="connected already: Owl"):
        _store(name="Again", credentials={"key": f" {OWL['key']} "})
    other = _store(name="Other", credentials={"key": "another-key-1234"})
    with pytest.raises(Conflict):
        services.set_credentials(store_id=other.pk, credentials=OWL)
    services.set_credentials(store_id=store.pk, credentials=OWL)


def test_erases_what_opened_a_store_and_leaves_the_rest() -> None:
    store = _store(credentials=OWL, is_primary=True)
    services.disconnect_store(store_id=store.pk, now=NOW)
    services.disconnect_store(store_id=store.pk, now=NOW + timedelta(days=1))
    view = queries.get_view(store.pk, now=NOW)
    assert (view.health, view.credentials, view.store.is_primary) == ("gone", (), False)
    assert (view.store.disconnected_at, StoreCredential.objects.count()) == (NOW, 0)
    with pytest.raises(Conflict, match="Connect it again"):
        services.update_store(store_id=store.pk, changes={"is_enabled": True})
    services.set_credentials(store_id=store.pk, credentials=OWL)
    assert queries.get_view(store.pk, now=NOW).health == "ok"


def test_keeps_the_counter() -> None:
    counter = Store.objects.get(channel=Channel.LOCAL)
    with pytest.raises(Conflict):
        services.disconnect_store(store_id=counter.pk, now=NOW)
    with pytest.raises(Conflict):
        services.set_credentials(store_id=counter.pk, credentials=OWL)
    assert queries.get_view(counter.pk, now=NOW).health == "manual"
    services.update_store(store_id=counter.pk, changes={"is_enabled": False})
    assert queries.get_view(counter.pk, now=NOW).health == "off"


@pytest.mark.parametrize(("error", "state", "retry"), [
    (CredentialsRefused("The key is wrong.", retry_after=9), StoreState.NEEDS_RECONNECT, None),
    (BudgetExhausted("Used up.", retry_after=60), StoreState.LIMITED, NOW + timedelta(seconds=60)),
    (ProviderUnavailable("Away.", retry_after=30), StoreState.OK, NOW + timedelta(seconds=30)),
])  # fmt: skip
def test_keeps_what_went_wrong_and_when_it_is_tried_again(error: Any, state: str, retry: Any) -> None:
    store = _store(credentials=OWL)
    services.note_failure(store_id=store.pk, error=error, now=NOW)
    kept = StoreSyncState.objects.get(store=store)
    assert (kept.state, kept.retry_at, kept.last_error) == (state, retry, error.detail)
    assert Event.objects.filter(event_type="store.paused").exists() == (state != StoreState.OK)
    services.note_success(store_id=store.pk, now=NOW + timedelta(days=1))
    kept.refresh_from_db()
    assert (kept.state, kept.retry_at, kept.last_error) == (StoreState.OK, None, "")


def test_pauses_a_store_that_fails_again_and_again_and_says_so_once() -> None:
    store = _store(credentials=OWL)
    for _failure in range(8):
        services.note_failure(store_id=store.pk, error=ProviderUnavailable("Away."), now=NOW)
    kept = StoreSyncState.objects.get(store=store)
    assert (kept.state, kept.consecutive_failures) == (StoreState.PAUSED, 8)
    assert Event.objects.filter(event_type="store.paused").count() == 1


def test_counts_the_calls_of_a_day_and_never_fewer() -> None:
    store = _store(credentials=OWL)
    ledger, today = services.StoreLedger(store.pk), date(2026, 11, 26)
    ledger.note(today, used=7, limit=5000)
    ledger.note(today, used=5, limit=5000)
    assert (ledger.used_on(today), ledger.used_on(today + timedelta(days=1))) == (7, 0)
    ledger.note(today + timedelta(days=1), used=1, limit=5000)
    assert ledger.used_on(today + timedelta(days=1)) == 1


def test_takes_a_change_back_but_adds_and_takes_away_no_store_by_it() -> None:
    with change_set("test.add"):
        store = _store(credentials=OWL)
        added = current_change_set_id()
    with change_set("test.change"):
        changes = {"name": "Other", "settings": {"sync_interval_hours": 3}, "is_primary": True}
        services.update_store(store_id=store.pk, changes=changes)
        changed = current_change_set_id()
    assert added is not None
    assert changed is not None
    audit.revert(change_set_id=changed)
    store.refresh_from_db()
    assert (store.name, store.settings["sync_interval_hours"], store.is_primary) == ("Owl", 24, False)
    with pytest.raises(NothingToRevert):
        audit.revert(change_set_id=added)
    assert StoreCredential.objects.filter(store=store).exists()


def test_connects_nothing_by_taking_a_disconnection_back() -> None:
    store = _store(credentials=OWL)
    with change_set("test.disconnect"):
        services.disconnect_store(store_id=store.pk, now=NOW)
        disconnected = current_change_set_id()
    assert disconnected is not None
    with pytest.raises(NothingToRevert):
        audit.revert(change_set_id=disconnected)
    store.refresh_from_db()
    assert (store.is_enabled, store.disconnected_at) == (False, NOW)


def test_a_store_is_connected_once_whatever_opens_it() -> None:
    first = _store(credentials=OWL, account="907")
    with pytest.raises(Conflict, match="connected already: Owl"):
        _store(name="Again", credentials={"key": "another-key-0123"}, account="907")
    other = _store(name="Other", credentials={"key": "a-third-key-0123"})
    with pytest.raises(Conflict, match="connected already: Owl"):
        services.set_credentials(store_id=other.pk, credentials={"key": "another-key-0123"}, account="907")
    services.disconnect_store(store_id=first.pk, now=NOW)
    with pytest.raises(Conflict, match="Connect it again"):
        _store(name="Again", credentials={"key": "another-key-0123"}, account="907")
    _store(channel="brikick", name="Elsewhere", credentials={"api_key": "brk_test_0123456789"}, account="907")
    services.set_credentials(store_id=first.pk, credentials={"key": "another-key-0123"}, account="907")


def test_orders_begin_with_the_day_that_it_is_in_the_shop() -> None:
    """In California it is still the day before: what is ordered that evening is an order too."""
    shop = {"name": "Bricks", "currency": "USD", "timezone": "America/Los_Angeles", "country": "US"}
    with override_settings(WORKSPACE_PROVIDER="common.workspace.from_settings", WORKSPACE=shop):
        store = _store(now=datetime(2026, 11, 26, 2, tzinfo=UTC))
    assert store.settings["import_orders_since"] == "2026-11-25"

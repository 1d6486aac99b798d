"""Makes stores ready to be asked, and finds out whether what opens them does.

Nothing here holds a transaction while a channel is asked: what was found is kept afterwards.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from common import workspace
from common.errors import BudgetExhausted, Conflict, CredentialsRefused, Invalid, ProblemError, ProviderError
from common.wire import Breaker, Budget, CallClass, Ledger
from stores import queries
from stores import services as stores
from stores.channels import Can, ChannelSpec, Reach
from stores.models import Store
from sync.channels import Channel, registry
from sync.queries.asking import is_first_look, listed_there, others_of
from sync.remote import ShopFacts

# For somebody who tries values that open no store yet.
_TRIAL_PER_SECOND, _TRIAL_BURST = 1.0, 5
# So many lots are asked for, to see whether a store is still the same.
_LOTS_ASKED = 3


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of asking a store: what it says of itself, or why it doesn't, in words."""

    facts: ShopFacts | None = None
    error: ProblemError | None = None
    calls_left: int | None = None

    @property
    def is_fine(self) -> bool:
        """Tell whether it answered as it should."""
        return self.facts is not None


def connect(store_id: UUID, *, call_class: CallClass) -> Channel:
    """Answer what asks a store, for one use; its budget and its breaker are those of all workers.

    Raises NotFound, and Conflict for a store that is switched off, disconnected, refused, or nobody's to ask.
    """
    store = queries.get_store(store_id)
    if not store.is_enabled:
        raise Conflict(f"{store.name} is switched off. Switch it on first.")
    if queries.is_refused(store_id):
        # Who goes on knocking is locked out.
        raise Conflict(f"{store.name} refuses the credentials. Replace them, or test the connection.")
    return _adapter_of(store, call_class=call_class)


def _adapter_of(store: Store, *, call_class: CallClass, is_waited_for: bool = False) -> Channel:
    spec, credentials = queries.spec_for(store.channel), queries.opened_with(store.pk)
    if spec is None or spec.reach is Reach.MANUAL:
        raise Conflict(f"{store.name} has no server to ask.")
    if credentials is None:
        raise Conflict(f"{store.name} is disconnected. Connect it again first.")
    ledger: Ledger = stores.StoreLedger(store.pk)
    return _adapter(
        spec, credentials, url=store.base_url, call_class=call_class,
        budget=queries.budget_of(store, spec, ledger=ledger), key=queries.wire_key(store.pk),
        is_waited_for=is_waited_for,
    )  # fmt: skip


def _adapter(
    spec: ChannelSpec, credentials: Mapping[str, str], *, budget: Budget, key: str, call_class: CallClass,
    is_waited_for: bool, url: str = "",
) -> Channel:  # fmt: skip
    return registry.get(spec.code)(
        url=url or settings.CHANNEL_URLS.get(spec.code) or spec.url,
        credentials=credentials,
        budget=budget,
        breaker=Breaker(key=key),
        call_class=call_class,
        is_waited_for=is_waited_for,
    )


def try_credentials(*, channel: str, credentials: Mapping[str, str], base_url: str = "") -> Tested:
    """Find out whether these values open a store, before they are kept. Raises Invalid with errors by field."""
    return _tested(_trial(_spec(channel), credentials, base_url=base_url))


def _trial(spec: ChannelSpec, credentials: Mapping[str, str], *, base_url: str) -> Channel:
    """Answer what asks a channel with values that aren't kept yet."""
    values = stores.cleaned(credentials, spec)
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    key = f"trial:{workspace.current_key()}:{digest}"
    budget = Budget(key=key, label=spec.label, per_second=_TRIAL_PER_SECOND, burst=_TRIAL_BURST)
    return _adapter(
        spec, values, budget=budget, key=key, call_class=CallClass.URGENT, is_waited_for=True, url=base_url
    )  # fmt: skip


def probe_store(*, store_id: UUID, now: datetime) -> Tested:
    """Find out whether a store answers, and keep what came of it. Raises NotFound, and Conflict where nobody is asked.

    A store that is switched off is asked all the same: that is how one finds out whether to switch it on.
    """
    store = queries.get_store(store_id)
    adapter = _adapter_of(store, call_class=CallClass.URGENT, is_waited_for=True)
    result = _tested(adapter)
    if result.facts is not None and is_first_look(store_id):
        result = _not_a_twin(result, adapter, store_id)
    if result.error is not None:
        stores.note_failure(store_id=store_id, error=result.error, now=now)
    else:
        stores.note_success(store_id=store_id, now=now)
    spec = _spec(store.channel)
    used = queries.used_calls(store_id, now.date().isoformat())
    left = None if spec.per_day is None else max(0, spec.per_day - used)
    told = result.facts.calls_left if result.facts else None
    return Tested(facts=result.facts, error=result.error, calls_left=left if told is None else told)


def connect_store(
    *, channel: str, name: str = "", credentials: Mapping[str, str], settings: Mapping[str, Any] | None = None,
    is_primary: bool = False, set_by_id: UUID | None = None, now: datetime,
) -> tuple[Store | None, Tested]:  # fmt: skip
    """Add a store once its channel has answered; none is added where it hasn't. Raises Invalid and Conflict."""
    result = try_credentials(channel=channel, credentials=credentials)
    if result.facts is None:
        return None, result
    facts, spec = result.facts, _spec(channel)
    try:
        _refuse_twin(facts, _trial(spec, credentials, base_url=""))
    except (ProviderError, BudgetExhausted) as error:
        return None, Tested(error=error)
    wanted = {**({"currency": facts.currency} if facts.currency else {}), **(settings or {})}
    store = stores.create_store(
        channel=channel, name=name or facts.name or spec.label, credentials=credentials, settings=wanted,
        is_primary=is_primary, account=facts.account, set_by_id=set_by_id, now=now,
    )  # fmt: skip
    return store, result


def replace_credentials(
    *, store_id: UUID, credentials: Mapping[str, str], set_by_id: UUID | None = None
) -> Tested:  # fmt: skip
    """Replace what opens a store once its channel has answered to it, and is the same there.

    Raises Invalid, Conflict and NotFound.
    """
    store = queries.get_store(store_id)
    spec = queries.spec_for(store.channel)
    if spec is None or spec.reach is Reach.MANUAL:
        raise Conflict("Nothing opens this store: there is no server behind it.")
    result = try_credentials(channel=store.channel, credentials=credentials, base_url=store.base_url)
    if result.facts is None:
        return result
    adapter = _trial(spec, credentials, base_url=store.base_url)
    try:
        if not _is_same(store, result.facts, adapter):
            told = f": {result.facts.name}" if result.facts.name else ""
            raise Conflict(f"These open another store{told}. Connect that as a store of its own.")
        _refuse_twin(result.facts, adapter, besides=store_id)
    except (ProviderError, BudgetExhausted) as error:
        return Tested(error=error)
    stores.set_credentials(
        store_id=store_id, credentials=credentials, account=result.facts.account, set_by_id=set_by_id
    )
    return result


def _is_same(store: Store, facts: ShopFacts, adapter: Channel) -> bool:
    """Tell whether credentials open the store that is known: by the channel's word, else by its lots.

    A seller may be called otherwise there by now, and not every channel says whose a store is.
    """
    if store.account and store.account == facts.account:
        return True
    numbers = listed_there(store.pk, limit=_LOTS_ASKED)
    if not numbers:
        return not (store.account and facts.account)
    return any(adapter.fetch_lot(number) is not None for number in numbers)


def _refuse_twin(facts: ShopFacts, adapter: Channel, *, besides: UUID | None = None) -> None:
    """Raise Conflict where credentials open a store that is connected already, by its lots.

    Whose account is known of both is told apart by that.
    """
    for other in others_of(adapter.spec.code, besides=besides):
        numbers = [] if other.account and facts.account else listed_there(other.pk, limit=_LOTS_ASKED)
        if any(adapter.fetch_lot(number) is not None for number in numbers):
            raise Conflict(f"These open a store that is connected already: {other.name}.", store_id=str(other.pk))


def _not_a_twin(result: Tested, adapter: Channel, store_id: UUID) -> Tested:
    """Answer what was found, unless the store is another one that is connected: a test doesn't take it up again."""
    try:
        _refuse_twin(result.facts or ShopFacts(), adapter, besides=store_id)
    except Conflict as same:
        told = f"{same.detail} Disconnect this one, or give it the credentials of another store."
        error = CredentialsRefused(told, provider=adapter.spec.code, operation="test_connection")
        return Tested(error=error)
    except (ProviderError, BudgetExhausted) as error:
        return Tested(error=error)
    return result


def _tested(adapter: Channel) -> Tested:
    try:
        facts = adapter.test_connection()
    except (ProviderError, BudgetExhausted) as error:
        return Tested(error=error)
    return Tested(facts=facts, calls_left=facts.calls_left)


def _spec(channel: str) -> ChannelSpec:
    spec = queries.spec_for(channel)
    if spec is None or Can.TEST_CONNECTION not in spec.can:
        raise Invalid(errors={"/channel": [f"One of {', '.join(each.code for each in queries.offered_channels())}."]})
    return spec

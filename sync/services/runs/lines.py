"""The lines of a plan, written by COPY as they are found, and the pairs that have none."""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from stores.channels import LotField
from stores.models import Store
from sync.choices import Action, ItemStatus, SkipReason
from sync.models import SyncAgreement, SyncPlanItem, SyncRun
from sync.remote import LotState
from sync.states import as_text, plain

_TABLE = SyncPlanItem._meta.db_table
_FLUSHED_AT = 5_000
_COLUMNS = (
    "id", "sync_run_id", "store_id", "after_id", "action", "skip_reason", "reason", "inventory_item_id", "listing_id",
    "source_external_id", "target_external_id", "item_type", "item_no", "item_name", "color_id", "color_name",
    "condition", "before_state", "after_state", "changes", "extra", "worth", "urgency", "status", "attempts",
    "error_message",
)  # fmt: skip
_COPY = f"COPY {_TABLE} ({', '.join(_COLUMNS)}) FROM STDIN"
_KEYS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
_FOUR_PLACES, _MOST_WORTH = Decimal("0.0001"), Decimal(10) ** 13
_NAMES = {each: each.value for each in LotField}
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class What:
    """What a line is about, so that it is shown without its lot."""

    item_type: str
    item_no: str
    name: str = ""
    color_id: int | None = None
    color_name: str = ""
    condition: str = ""


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of a plan, before it has a key. `number`: the store's own of the lot there, the source's or target's."""

    store: Store
    action: Action
    what: What
    skip: SkipReason | None = None
    reason: str = ""
    lot_id: UUID | None = None
    listing_id: UUID | None = None
    after: int | None = None
    source_number: str = ""
    target_number: str = ""
    before: LotState | None = None
    next: LotState | None = None
    fields: frozenset[LotField] = frozenset()
    extra: Mapping[str, Any] = field(default_factory=dict)
    worth: Decimal = Decimal(0)


def urgency_of(line: Line) -> int:
    """Answer how soon a line is carried out: 0 quantities towards zero … 5 removals."""
    if line.action is Action.REMOVE:
        return 5
    if line.action is Action.ADD:
        return 2
    before, after = line.before, line.next
    if before is None or after is None:
        return 4
    if LotField.QTY in line.fields and before.qty != after.qty:
        return 0 if after.qty < before.qty else 1
    return 3 if {LotField.PRICE, LotField.TIERS, LotField.SALE} & line.fields else 4


def changes_of(before: LotState, after: LotState, fields: frozenset[LotField]) -> list[dict[str, Any]]:
    """Answer field by field what is different, as it is kept and shown."""
    changes = []
    for each in before.differences(after, fields):
        name = _NAMES[each]
        old, new = getattr(before, name), getattr(after, name)
        change = {"field": name, "old": plain(each, old), "new": plain(each, new)}
        if each in (LotField.QTY, LotField.PRICE):
            change["way"] = "up" if new > old else "down"
        changes.append(change)
    return changes


class Writer:
    """Takes lines, and stores them some at a time. Keys are given before, since lines point at each other."""

    def __init__(self, run: SyncRun) -> None:
        self._run_id = run.pk
        self._rows: list[tuple[Any, ...]] = []
        self._keys: Iterator[int] = iter(())
        self.counts: Counter[str] = Counter()
        self.lines_by_store: dict[UUID, Counter[str]] = {}

    def add(self, line: Line) -> int:
        """Take a line; answer its key."""
        key = self._key()
        what, changes = line.what, []
        if line.before is not None and line.next is not None:
            changes = changes_of(line.before, line.next, line.fields)
        worth = min(abs(line.worth).quantize(_FOUR_PLACES), _MOST_WORTH)
        self._rows.append((
            key, self._run_id, line.store.pk, line.after, line.action.value, line.skip.value if line.skip else "",
            line.reason[:300], line.lot_id, line.listing_id, line.source_number[:100], line.target_number[:100],
            what.item_type[:11], what.item_no[:60], _clean(what.name)[:300], what.color_id,
            _clean(what.color_name)[:60], what.condition, _state(line.before), _state(line.next),
            _clean(_ENCODE(changes)) if changes else "[]", _clean(_ENCODE(line.extra)) if line.extra else "{}", worth,
            urgency_of(line), ItemStatus.SKIPPED.value if line.skip else ItemStatus.PENDING.value, 0, "",
        ))  # fmt: skip
        self.counts[line.skip.value if line.skip else line.action.value] += 1
        self.lines_by_store.setdefault(line.store.pk, Counter())[line.action.value] += 1
        if len(self._rows) >= _FLUSHED_AT:
            self.flush()
        return key

    def flush(self) -> None:
        """Store what was taken."""
        if self._rows:
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                for row in self._rows:
                    copy.write_row(row)
        self._rows.clear()

    def _key(self) -> int:
        key = next(self._keys, None)
        if key is None:
            with connection.cursor() as cursor:
                cursor.execute(_KEYS, [_TABLE, _FLUSHED_AT])
                self._keys = iter([row[0] for row in cursor.fetchall()])
            key = next(self._keys)
        return key


def _state(state: LotState | None) -> str:
    return "{}" if state is None else _clean(as_text(state))


def _clean(text: str) -> str:
    """Answer the text without what PostgreSQL can't hold."""
    return text.replace("\x00", "").replace("\\u0000", "")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A pair that nobody has noted. `lot_version`: with which both sides are alike; None: that is to be compared."""

    store_id: UUID
    lot_id: UUID
    lot_version: int | None
    number: str
    base: Mapping[str, Any]
    listing_id: UUID | None
    # By how many pieces that differs from what was agreed on before; None where nothing was.
    moved: int | None


class Agreements:
    """Gathers pairs, compressed as they come."""

    def __init__(self) -> None:
        self.count = 0
        self._press = zlib.compressobj(1)
        self._pieces: list[bytes] = []

    def add(self, agreed: Agreed) -> None:
        """Take a pair."""
        row = [
            str(agreed.store_id), str(agreed.lot_id), agreed.lot_version, agreed.number, agreed.base,
            str(agreed.listing_id) if agreed.listing_id else None, agreed.moved,
        ]  # fmt: skip
        self._pieces.append(self._press.compress((_ENCODE(row) + "\n").encode()))
        self.count += 1

    def keep(self, run: SyncRun) -> None:
        """Keep them with the run, if there are any."""
        if self.count:
            body = b"".join([*self._pieces, self._press.flush()])
            SyncAgreement.objects.create(sync_run=run, pairs_count=self.count, body=body)


def agreed_in(body: bytes) -> Iterator[Agreed]:
    """Answer the pairs that a run keeps."""
    for line in zlib.decompress(bytes(body)).splitlines():
        store, lot, version, number, base, listing, moved = json.loads(line)
        yield Agreed(UUID(store), UUID(lot), version, number, base, UUID(listing) if listing else None, moved)


def moment(text: str) -> datetime:
    """Read a time that was kept as text."""
    return datetime.fromisoformat(text)

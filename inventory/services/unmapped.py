"""What has no mapping: noted where it is met, and decided by people. Nothing is decided by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import nlargest
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import bulk, context
from catalog.models import CatalogItem
from catalog.queries.items import categories_of, items_of
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish
from inventory.choices import UnmappedOrigin
from inventory.events import InventoryUpdated
from inventory.models import InventoryImport, InventoryItem, ItemMapping, LeftUnmapped, UnmappedItem
from inventory.questions import Question
from inventory.services.lots import differences
from inventory.services.mappings import set_item_mapping

# Of one file or channel so many are kept, the dearest: nobody decides more by hand.
KEPT = 2_000
_BATCH = 500
_MOST_LOTS, _MOST_QTY, _MOST_AMOUNT = 2**31 - 1, 2**63 - 1, Decimal(10) ** 15
_CHANGING = ("reason", "item_name", "color_name", "lots_count", "qty", "amount", "run", "updated_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What was met without a mapping, and what hangs on it; `amount`: in the shop's currency."""

    question: Question
    reason: str
    item_name: str = ""
    color_name: str = ""
    lots_count: int = 0
    qty: int = 0
    amount: Decimal = Decimal(0)


@transaction.atomic
def note_unmapped(
    *, origin: UnmappedOrigin, met: Iterable[Met], run: InventoryImport | None = None, system: str = ""
) -> int:
    """Note all that an import (`run`) or a channel (`system`) left without a mapping; answer how much is kept.

    What the same import or channel left before and isn't among it is forgotten. What was decided stays decided. A
    number is noted once, however often it is met: as its latest import, or its channel, says.
    """
    kept = nlargest(KEPT, met, key=lambda each: each.amount)
    before = UnmappedItem.objects.filter(origin=origin)
    before = before.filter(run=run) if run else before.filter(run=None, system=system)
    before.delete()
    rows = [
        UnmappedItem(
            **each.question.key, origin=origin, reason=each.reason, item_name=each.item_name[:300],
            color_name=each.color_name[:80], lots_count=min(each.lots_count, _MOST_LOTS), qty=min(each.qty, _MOST_QTY),
            amount=min(each.amount, _MOST_AMOUNT), run=run,
        )
        # In one order, so that two imports at once don't wait for each other.
        for each in sorted(kept, key=lambda each: tuple(each.question.key.values()))
    ]  # fmt: skip
    UnmappedItem.objects.bulk_create(
        rows, batch_size=_BATCH, update_conflicts=True, unique_fields=[*UnmappedItem.KEY, "origin"],
        update_fields=_CHANGING,
    )  # fmt: skip
    return len(rows)


@transaction.atomic
def map_number(
    *, question: Question, item_type: str, item_no: str, now: datetime, color_id: int | None = None,
    decided_by_id: UUID | None = None, changes_lots: bool = False,
) -> int:  # fmt: skip
    """Say which item of the catalog a number is; answer how many lots were changed to that item's number.

    `changes_lots`: of a number in stock, have its lots get the item's number and name, instead of keeping theirs. The
    same answer twice is one. Raises Conflict where somebody has answered otherwise, Invalid where that can't be.
    """
    context.describe("inventory.map_number")
    if question.is_outbound:
        raise Invalid("Say which number the platform has for this item.")
    item = items_of([(item_type, item_no)]).get((item_type, item_no))
    if item is None or item.is_provisional:
        raise Invalid("Choose an item that the catalog knows by BrickLink's number.")
    if question.is_of_stock and (item_type, item_no) == (question.item_type, question.number):
        raise Invalid("That is the number that it has.")
    _refuse_another(question, (item_type, item_no, color_id))
    set_item_mapping(
        system=question.system, external_id=question.number, external_color=question.color, item_type=item_type,
        item_no=item_no, color_id=color_id, decided_by_id=decided_by_id, now=now,
    )  # fmt: skip
    _take_back_leaving(question)
    return _rename_lots(question, item) if changes_lots and question.is_of_stock else 0


@transaction.atomic
def map_outside(
    *, question: Question, external_id: str, now: datetime, decided_by_id: UUID | None = None
) -> ItemMapping:
    """Say which number a platform has for an item of ours. Raises Invalid, Conflict where the number is another's."""
    context.describe("inventory.map_number")
    if not question.is_outbound:
        raise Invalid("Say which item this is.")
    number = external_id.strip()
    known = ItemMapping.objects.filter(system=question.system, external_id=number, external_color="").first()
    if known is not None and (known.item_type, known.item_no) != (question.item_type, question.number):
        raise Conflict(f"You have said that this number is {known.item_no}. Change that mapping first.")
    _take_back_leaving(question)
    return set_item_mapping(
        system=question.system, external_id=number, item_type=question.item_type, item_no=question.number,
        color_id=int(question.color) if question.color.isdecimal() else None, decided_by_id=decided_by_id, now=now,
    )  # fmt: skip


@transaction.atomic
def leave_unmapped(*, question: Question, decided_by_id: UUID | None = None) -> None:
    """Say that it is none of the catalog's items, and have it asked no more. Twice is once."""
    context.describe("inventory.leave_unmapped")
    if not question.is_known_kind:
        raise Invalid("This is no number that is known here.")
    if _answer_to(question) is not None:
        raise Conflict("Somebody has said meanwhile what this number is. Look at your own mappings.")
    if LeftUnmapped.objects.filter(**question.key).exists():
        return
    try:
        with transaction.atomic():
            LeftUnmapped.objects.create(**question.key, decided_by_id=decided_by_id)
    except IntegrityError:
        # The other press of a double one.
        return


@transaction.atomic
def reopen(*, left_id: UUID) -> LeftUnmapped:
    """Have it asked again what something is. Raises NotFound."""
    context.describe("inventory.reopen")
    left = LeftUnmapped.objects.select_for_update().filter(pk=left_id).first()
    if left is None:
        raise NotFound("This is asked again already.")
    left.delete()
    return left


def _take_back_leaving(question: Question) -> None:
    if (left := LeftUnmapped.objects.filter(**question.key).first()) is not None:
        left.delete()


def _answer_to(question: Question) -> ItemMapping | None:
    if question.is_outbound:
        found = ItemMapping.objects.filter(
            system=question.system, item_type=question.item_type, item_no=question.number
        )
        return found.first()
    return ItemMapping.objects.filter(
        system=question.system, external_id=question.number, external_color=question.color
    ).first()


def _refuse_another(question: Question, said: tuple[str, str, int | None]) -> None:
    """Refuse to overwrite what somebody else has said since the question was shown."""
    known = _answer_to(question)
    if known is not None and (known.item_type, known.item_no, known.color_id) != said:
        raise Conflict(
            f"Somebody has said meanwhile that this is {known.item_no}. Change it among your own mappings if it isn't."
        )


def _rename_lots(question: Question, item: CatalogItem) -> int:
    """Give the lots under a number the item's number, name and category, as an edit of theirs."""
    lots = list(
        InventoryItem.objects.select_for_update(of=("self",), no_key=True)
        .filter(item_type=question.item_type, item_no=question.number)
        .order_by("pk")
    )
    changes = {"item_type": item.item_type, "item_no": item.item_no}
    if item.name:
        changes |= {"item_name": item.name[:300], "category_name": categories_of([item.pk]).get(item.pk, "")[:200]}
    fields: set[str] = set()
    for lot in lots:
        try:
            different = differences(lot, changes)
        except Invalid as error:
            told = " ".join(" ".join(messages) for messages in error.errors.values())
            raise Invalid(
                f"The lots can't become {item.item_no}: {told} Keep their number, or change them one by one."
            ) from None
        for name, value in different.items():
            setattr(lot, name, value)
        fields |= set(different)
    if lots:
        bulk.bulk_update(InventoryItem, lots, fields=sorted(fields), rising=["version"])
        publish(InventoryUpdated(inventory_item_ids=tuple(lot.pk for lot in lots)))
    return len(lots)

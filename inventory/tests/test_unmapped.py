"""What has no mapping: where it is met, what hangs on it, and that only a person's answer takes it out of the queue."""

import io
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from audit import services as audit
from audit.context import change_set, current_change_set_id
from catalog.models import CatalogExternalId, CatalogItem
from common.errors import Conflict, Invalid, NotFound
from common.testing.query_counts import counted
from inventory import services
from inventory.choices import UnmappedOrigin
from inventory.formats.base import LotRow
from inventory.models import ImportLine, InventoryImport, InventoryItem, ItemMapping, LeftUnmapped, UnmappedItem
from inventory.queries.mappings import own_meanings
from inventory.queries.unmapped import open_questions
from inventory.questions import Question
from inventory.services import Met, importing
from inventory.services.importing import Options
from inventory.services.importing.referring import Gathering, resolved
from inventory.testing import make_lot
from inventory.tests.test_importing import _finish_jobs, bsx, carry_out, imported, item, preview

pytestmark = pytest.mark.django_db

OWL = Question("brickowl", "900999")
HEAD = b"BOID,Color id,Condition,Qty,Price,Item name\n"


def _queue(**narrowed: Any) -> list[tuple[str, Decimal]]:
    return [(row.question.number, row.amount.normalize()) for row in open_questions(**narrowed).rows]


def _numbers(**narrowed: Any) -> list[str]:
    return [number for number, _ in _queue(**narrowed)]


def _say(question: Question = OWL, item_no: str = "3001", **more: Any) -> int:
    return services.map_number(question=question, item_type="PART", item_no=item_no, now=timezone.now(), **more)


def _undo(deed: UUID | None) -> UUID | None:
    assert deed
    audit.start_revert(change_set_id=deed)
    return current_change_set_id()


def _lots() -> list[tuple[str, int | None]]:
    return list(InventoryItem.objects.order_by("id").values_list("item_no", "color_id"))


# --- Imports obey the shop's own mappings ---------------------------------------------------------------------------
def _own(external_id: str, item_no: str, system: str = "brickowl", **more: Any) -> ItemMapping:
    return services.set_item_mapping(
        system=system, external_id=external_id, item_type="PART", item_no=item_no, now=timezone.now(), **more
    )


def test_an_import_takes_the_shops_own_meaning_before_the_catalogs() -> None:
    brick = CatalogItem.objects.get(item_type="PART", item_no="3001")
    CatalogExternalId.objects.create(
        item=brick, system="brickowl", external_id="900999", source="manual", confidence="1.00"
    )
    _own("900999", "3023")
    imported(b"BOID,Color id,Condition,Qty,Price\n900999,5,N,1,0.1\n900999-81,,N,1,0.1\n")
    assert _lots() == [("3023", 5), ("3023", 5)]
    assert InventoryItem.objects.values_list("item_name", flat=True)[0] == "Plate 1 x 2"


def test_a_meaning_in_a_color_goes_before_the_one_in_any() -> None:
    _own("900999", "3023")
    _own("900999", "3024", external_color="81")
    _own("rb77", "3710", system="rebrickable", external_color="1", color_id=11)
    imported(
        b"BOID,Rebrickable id,Color id,Condition,Qty,Price\n900999-81,,,N,1,0.1\n900999,,5,N,2,0.1\n"
        b"900999,,7,N,3,0.1\n,rb77,7,N,4,0.1\n"
    )
    # Brick Owl's 81 is red, Rebrickable's 1 is blue; a color that the row states stands.
    assert _lots() == [("3024", 5), ("3024", 5), ("3023", 7), ("3710", 7)]


def test_an_element_and_a_bare_number_mean_what_the_shop_says() -> None:
    _own("99999999", "3023", system="element", color_id=11)
    _own("zz900", "3710", system="bricklink")
    imported(b"LEGO element id,Condition,Qty,Price\n99999999,N,1,0.1\n")
    imported(b"Item No,Color id,Condition,Qty,Price\nzz900,5,N,1,0.1\n")
    assert _lots() == [("3023", 11), ("3710", 5)]


def test_a_file_that_says_the_type_obeys_too_unless_lots_lie_under_the_number() -> None:
    _own("zz900", "3710", system="bricklink")
    content = bsx(item(ItemID="zz900"))
    imported(content)
    assert _lots() == [("3710", 5)]
    # Who keeps a number keeps it in imports, too: the file means those lots.
    lot = make_lot(item_no="zz900", qty=1)
    imported(content)
    lot.refresh_from_db()
    assert (_lots(), lot.qty_available) == ([("3710", 5), ("zz900", 5)], 10)


# --- What imports leave ---------------------------------------------------------------------------------------------
def test_what_an_import_cannot_tell_waits_by_the_money_that_hangs_on_it() -> None:
    for item_no in ("3710", "3623"):
        part = CatalogItem.objects.get(item_type="PART", item_no=item_no)
        CatalogExternalId.objects.create(
            item=part, system="brickowl", external_id="900771", source="manual", confidence="1.00"
        )
    run = preview(HEAD + b"900999,5,N,10,0.5,Odd brick\n900999-81,,N,4,1.5,\n900771,5,N,100,0.2,\n3001x,,N,1,0.1,\n")
    found = open_questions(run_id=run.pk)
    assert [(row.question.number, row.reason, row.lots_count, row.qty, row.amount) for row in found.rows] == [
        ("900771", "AMBIGUOUS", 1, 100, Decimal("20.0000")), ("900999", "UNKNOWN", 2, 14, Decimal("11.0000")),
        ("3001x", "UNKNOWN", 1, 1, Decimal("0.1000")),
    ]  # fmt: skip
    assert (found.total, found.amount) == (3, Decimal("31.1000"))
    assert (found.rows[1].item_name, found.rows[1].color_name) == ("Odd brick", "Red")


def test_reading_again_and_the_same_file_twice_count_once() -> None:
    content = HEAD + b"900999,5,N,10,0.5,\n"
    run = preview(content)
    importing.read_again(import_id=run.pk, options=Options(), now=timezone.now())
    _finish_jobs()
    preview(content)
    assert _queue() == [("900999", Decimal(5))]
    assert UnmappedItem.objects.count() == 1


def test_a_file_that_is_thrown_away_asks_nothing() -> None:
    run = preview(HEAD + b"900999,5,N,10,0.5,\n")
    importing.discard(import_id=run.pk, now=timezone.now())
    assert _queue() == []


def test_amounts_are_in_the_shops_currency_and_the_number_of_a_purged_import_stays() -> None:
    run = preview(HEAD + b"900999,5,N,10,0.5,\n", currency_rate=Decimal("0.9"))
    assert _queue() == [("900999", Decimal("4.5"))]
    importing.purge(now=run.created_at + importing.receiving.KEPT * 2)
    assert open_questions().rows[0].run_id is None


@pytest.mark.parametrize(
    "number", ["<script>alert(1)</script>", "'; DROP TABLE x; --", "{{ 7 * 7 }}", "💥" * 20, "a" * 60, "%s%(x)s\\"]
)
def test_hostile_numbers_wait_like_any_other(number: str) -> None:
    run = preview(HEAD + f'"{number}",5,N,1,0.5,"<b>{number}</b>"\n'.encode())
    assert ImportLine.objects.filter(run=run, outcome="PROBLEM").count() == 1
    assert _numbers() == [number]
    services.leave_unmapped(question=Question("brickowl", number))
    assert _numbers() == []


def test_what_no_row_can_be_is_no_question() -> None:
    gathering = Gathering()
    values = {"brickowl_id": "b" * 61, "qty": 5, "unit_price": Decimal(1)}
    row = LotRow(1, values)
    resolved([row, LotRow(2, {**values, "brickowl_id": "1"}, is_excluded=True)], {}, gathering)
    assert gathering.met(rate=Decimal(1)) == []


def test_amounts_beyond_all_bounds_are_kept_within() -> None:
    met = Met(question=OWL, reason="UNKNOWN", lots_count=2**40, qty=2**70, amount=Decimal(10) ** 30)
    services.note_unmapped(origin=UnmappedOrigin.CHANNEL, met=[met], system="brickowl")
    assert open_questions().rows[0].amount == Decimal(10) ** 15


def test_many_unknown_numbers_are_asked_about_as_often_as_few() -> None:
    def ask(count: int) -> int:
        rows = [LotRow(n, {"brickowl_id": f"9{n:06}", "qty": 1, "unit_price": Decimal(1)}) for n in range(count)]
        with counted() as statements:
            resolved(list(rows), own_meanings(), Gathering())
        return len(statements)

    assert ask(10) == ask(4_000) == 2


# --- What lies in stock ---------------------------------------------------------------------------------------------
def test_lots_under_numbers_that_the_catalog_lacks_wait_with_todays_amount() -> None:
    CatalogItem.objects.create(item_type="PART", item_no="zz2", is_provisional=True, source="rebrickable")
    make_lot(qty=5)
    lot = make_lot(item_no="zz1", qty=10, unit_price=Decimal("0.50"))
    make_lot(item_no="zz1", qty=2, color_id=7, unit_price=Decimal("1.00"))
    make_lot(item_no="zz2", qty=1, unit_price=Decimal("9.00"))
    make_lot(item_no="zz3", qty=0)
    make_lot(item_type="CUSTOM", item_no="zz4", color_id=None)
    assert _queue() == [("zz2", Decimal(9)), ("zz1", Decimal(7))]
    services.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("2.00")}, now=timezone.now())
    assert _queue() == [("zz1", Decimal(22)), ("zz2", Decimal(9))]
    CatalogItem.objects.create(item_type="PART", item_no="zz1", source="bricklink")
    assert _numbers() == ["zz2"], "the catalog has come to know it"


STOCK = Question("bricklink", "zz1", "PART")


def test_lots_can_change_to_the_items_number_as_an_edit_that_can_be_taken_back() -> None:
    lot = make_lot(item_no="zz1", item_name="Odd", qty=3)
    with change_set("test.say"):
        assert _say(STOCK, "3023", changes_lots=True) == 1
        deed = current_change_set_id()
    lot.refresh_from_db()
    assert (lot.item_no, lot.item_name, lot.version, lot.qty_available) == ("3023", "Plate 1 x 2", 2, 3)
    assert _numbers() == []
    _undo(deed)
    lot.refresh_from_db()
    assert (lot.item_no, lot.item_name, ItemMapping.objects.count()) == ("zz1", "Odd", 0)
    assert _numbers() == ["zz1"]


def test_lots_can_keep_their_number_and_be_treated_as_another() -> None:
    lot = make_lot(item_no="zz1")
    assert _say(STOCK, "3023") == 0
    lot.refresh_from_db()
    assert lot.item_no == "zz1"
    assert _numbers() == []
    assert (ItemMapping.objects.get().system, ItemMapping.objects.get().item_no) == ("bricklink", "3023")


def test_lots_that_cannot_become_the_item_stay_and_nothing_is_said() -> None:
    make_lot(item_no="zz1")
    with pytest.raises(Invalid, match="This type of item has no color"):
        services.map_number(
            question=STOCK, item_type="SET", item_no="21200-1", changes_lots=True, now=timezone.now()
        )  # fmt: skip
    assert _numbers() == ["zz1"]
    assert not ItemMapping.objects.exists()


# --- Deciding -------------------------------------------------------------------------------------------------------
def test_an_answer_takes_it_out_of_the_queue_undo_brings_it_back_and_redo_takes_it_out_again() -> None:
    preview(HEAD + b"900999,5,N,10,0.5,\n")
    with change_set("test.say"):
        _say()
        said = current_change_set_id()
    assert _numbers() == []
    with change_set("test.undo"):
        _undo(said)
    assert _numbers() == ["900999"]
    undone = ItemMapping.history.latest("history_id").change_set_id
    audit.start_revert(change_set_id=undone)
    assert _numbers() == []


def test_none_of_these_is_kept_and_can_be_undone_and_opened_again() -> None:
    content = HEAD + b"900999,5,N,10,0.5,\n"
    preview(content)
    with change_set("test.leave"):
        services.leave_unmapped(question=OWL)
        services.leave_unmapped(question=OWL)
        left = current_change_set_id()
    assert LeftUnmapped.objects.count() == 1
    preview(content)
    assert _numbers() == [], "asked again never"
    _undo(left)
    assert _numbers() == ["900999"]
    services.leave_unmapped(question=OWL)
    kept = LeftUnmapped.objects.get()
    services.reopen(left_id=kept.pk)
    assert _numbers() == ["900999"]
    with pytest.raises(NotFound):
        services.reopen(left_id=kept.pk)


def test_two_tabs_do_not_overwrite_each_other_and_twice_the_same_is_once() -> None:
    _say()
    assert _say() == 0
    with pytest.raises(Conflict, match="meanwhile that this is 3001"):
        _say(item_no="3023")
    with pytest.raises(Conflict):
        services.leave_unmapped(question=OWL)
    assert ItemMapping.history.count() == 1


def test_what_the_catalog_does_not_surely_know_cannot_be_chosen() -> None:
    CatalogItem.objects.create(item_type="PART", item_no="zz2", is_provisional=True, source="rebrickable")
    for item_no in ("zz2", "nothing", ""):
        with pytest.raises(Invalid, match="Choose an item"):
            _say(item_no=item_no)
    with pytest.raises(Invalid):
        services.leave_unmapped(question=Question("ebay", "1"))


def test_what_the_catalog_learns_leaves_the_queue_unless_it_stays_unsure() -> None:
    preview(HEAD + b"900999,5,N,10,0.5,\n900998,5,N,10,0.5,\n")
    brick, plate = (CatalogItem.objects.get(item_type="PART", item_no=no) for no in ("3001", "3023"))
    known = {"system": "brickowl", "source": "rebrickable"}
    CatalogExternalId.objects.create(item=brick, external_id="900999", confidence="0.98", **known)
    CatalogExternalId.objects.create(item=plate, external_id="900999", confidence="0.60", **known)
    CatalogExternalId.objects.create(item=brick, external_id="900998", confidence="0.40", **known)
    assert _numbers() == ["900998"]


# --- Channels -------------------------------------------------------------------------------------------------------
def test_a_channel_notes_what_it_has_no_number_for_and_a_number_said_answers_it() -> None:
    ours = Question("brickowl", "3001", "PART", "5", "OUTBOUND")
    other = Question("brickowl", "3023", "PART", "5", "OUTBOUND")

    def note(*questions: Question) -> None:
        met = [Met(question=each, reason="NO_NUMBER", lots_count=1, qty=2, amount=Decimal(3)) for each in questions]
        services.note_unmapped(origin=UnmappedOrigin.CHANNEL, met=met, system="brickowl")

    note(ours, other)
    note(ours)
    assert _numbers(origin="CHANNEL") == ["3001"], "what it leaves no more is forgotten"
    services.map_outside(question=ours, external_id=" 771344 ", now=timezone.now())
    mapping = ItemMapping.objects.get()
    assert (mapping.external_id, mapping.item_no, mapping.color_id) == ("771344", "3001", 5)
    assert _numbers() == []
    with pytest.raises(Conflict, match="this number is 3001"):
        services.map_outside(question=other, external_id="771344", now=timezone.now())


# --- The lines that were left out -----------------------------------------------------------------------------------
def test_lines_that_were_left_out_come_in_once_their_number_is_said() -> None:
    run = imported(HEAD + b"900999,5,N,10,0.5,\n900998,5,N,1,1,\n", quantity="ADD")
    imported(HEAD + b"900999,5,N,10,0.5,\n", quantity="ADD")
    assert run.counts == {"rows": 2, "PROBLEM": 2}
    _say()
    again = importing.import_left_out(import_id=run.pk, now=timezone.now())
    assert importing.import_left_out(import_id=run.pk, now=timezone.now()).pk == again.pk, "a second press"
    _finish_jobs()
    again.refresh_from_db()
    assert again.counts == {"rows": 2, "NEW": 1, "PROBLEM": 1}
    carry_out(again)
    assert _lots() == [("3001", 5)]
    _say(Question("brickowl", "900998"), "3023")
    third = importing.import_left_out(import_id=run.pk, now=timezone.now())
    _finish_jobs()
    third.refresh_from_db()
    assert third.counts == {"rows": 1, "NEW": 1}, "what has come in since is not taken twice"
    assert ImportLine.objects.get(run=third).line == 3
    carry_out(third)
    with pytest.raises(Conflict, match="No line is left out"):
        importing.import_left_out(import_id=run.pk, now=timezone.now())
    assert InventoryImport.objects.exclude(pk=run.pk).filter(file_path=run.file_path).count() == 0


def test_an_import_that_is_not_done_has_nothing_left_out() -> None:
    run = importing.start_import(
        file=io.BytesIO(HEAD + b"900999,5,N,10,0.5,\n"), file_name="s.csv", options=Options(), now=timezone.now()
    )
    with pytest.raises(Conflict, match="isn't done yet"):
        importing.import_left_out(import_id=run.pk, now=timezone.now())

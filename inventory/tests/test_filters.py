"""The list by address: filters mean what they say, pages lose and repeat nothing, and no index is left unused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from catalog.models import CatalogExternalId, CatalogItem
from common.testing.people import make_user
from common.testing.plans import Explain, scans
from inventory import services
from inventory.models import InventoryItem
from inventory.queries import lots as queries
from inventory.queries.filters import PARAMETERS, Filters, filtered
from inventory.services import Need
from inventory.services.stock import write_placements
from inventory.testing import make_location, make_lot
from inventory.tests.conftest import Fill
from inventory.tests.test_repricing import know
from inventory.views.state import ListState

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def _found(query: str) -> set[str]:
    return {lot.remarks for lot in filtered(Filters.parse(query))}


def test_each_filter_leaves_the_lots_that_it_names() -> None:
    place = make_location("A-03-2")
    red = make_lot(remarks="red", unit_price=Decimal("0.10"), location=place, low_stock_threshold=20)
    make_lot(remarks="blue", color_id=7, condition="USED", sub_condition="GOOD", qty=500, cost_basis=Decimal("0.05"))
    make_lot(remarks="set", item_type="SET", item_no="75192-1", item_name="Falcon", color_id=None,
             completeness="SEALED", unit_price=Decimal(700), qty=1, sale_percent=10, is_retain=True)  # fmt: skip
    make_lot(remarks="old", color_id=1, date_added=NOW - timedelta(days=400), is_stock_room=True, stock_room_id="B",
             tier_prices=[{"qty": 50, "price": "0.09"}], price_locked=True, reserved_for="Ana", qty=0)  # fmt: skip
    services.reserve_stock(needs=[Need(red.pk, 2, "line")], now=NOW)
    wanted = {
        "q=30": {"red", "blue", "old"}, "q=falcon": {"set"}, "q=red 3001": {"red"}, "q=RED": {"red"},
        "q=75192": {"set"}, "item_no=75192-1": {"set"}, "item_no=75192": set(),
        "q=brick 2 x 4 blue": {"blue"}, "type=SET": {"set"}, "type=SET&type=PART&color=7": {"blue"},
        "color=5&color=7": {"red", "blue"}, "condition=USED": {"blue"}, "grade=GOOD": {"blue"},
        "completeness=SEALED": {"set"}, "location=A-03*": {"red"}, "location=a-03-2": {"red"}, "location=A-03": set(),
        "placed=yes": {"red"}, "placed=no&qty_min=1": {"blue", "set"}, "price_min=0.12&price_max=1": {"blue", "old"},
        "qty_min=500": {"blue"}, "qty_max=1": {"set", "old"}, "reserved=yes": {"red"}, "stockroom=any": {"old"},
        "stockroom=B": {"old"}, "stockroom=C": set(), "stockroom=none&color=1": set(), "retain=yes": {"set"},
        "sale=yes": {"set"}, "cost=yes": {"blue"}, "cost=no": {"red", "set", "old"}, "low=yes": {"red"},
        "stale=yes": {"old"}, "stale=no": {"red", "blue", "set"}, "tiers=yes": {"old"}, "locked=yes": {"old"},
        "reserved_for=Ana": {"old"}, f"added_since={(NOW - timedelta(days=2)).date()}": {"red", "blue", "set"},
        f"ids={red.pk}": {"red"}, "category=Tile": set(),
    }  # fmt: skip
    assert {query: _found(query) for query in wanted} == wanted


def test_a_number_that_no_lot_has_finds_what_it_means_elsewhere() -> None:
    make_lot(remarks="red")
    make_lot(remarks="blue", color_id=7)
    make_lot(remarks="plate", item_no="3023")
    assert _found("q=300121") == {"red"}, "an element id is an item in a color"
    brick = CatalogItem.objects.get(item_type="PART", item_no="3001")
    for number, confidence in (("zz77", "0.98"), ("zz78", "0.30")):
        CatalogExternalId.objects.create(
            item=brick, system="rebrickable", external_id=number, source="manual", confidence=confidence
        )
    assert _found("q=zz77") == {"red", "blue"}
    assert _found("q=zz77&color=7") == {"blue"}
    assert _found("q=zz78") == set(), "a hint decides nothing"
    make_lot(remarks="in bin 300121", item_no="3024")
    assert _found("q=300121") == {"in bin 300121"}, "what is written on a lot is meant first"


def test_the_list_says_what_it_translated(client: Client) -> None:
    make_lot(remarks="red")
    client.force_login(make_user(role="readonly"))
    page = client.get("/inventory/?q=300121").content.decode()
    assert "LEGO element 300121 → 3001 Red" in page
    assert page.count("data-lot=") == 1
    assert "→" not in client.get("/inventory/?q=3001").content.decode()


def test_what_is_not_understood_is_told_and_narrows_nothing() -> None:
    make_lot()
    found = Filters.parse("color=999999&condition=BROKEN&price_min=cheap&nonsense=1&color=5&retain=yes&retain=no")
    assert [term.raw for term in found.unknown] == ["999999", "BROKEN", "cheap", "1", "no"]
    assert dict(found.values) == {"color": (5,), "retain": "yes"}
    assert all(term.words for term in found.terms)
    again = Filters.parse(found.as_query())
    assert again.as_query() == found.as_query()
    assert again.values == found.values
    color = next(term for term in found.terms if term.raw == "5")
    assert "color" not in found.without(color).values


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize(
    "text", ["", "\x00", "1e999", "1e-20000", "-1", "NaN", "%", "*", "'; --", "٣", "2026-99-99", "x" * 3000]
)
def test_no_text_breaks_a_filter(name: str, text: str) -> None:
    list(filtered(Filters.parse({name: text}))[:1])


def test_a_search_among_no_lots_finds_none() -> None:
    make_lot()
    assert queries.list_page(Filters.parse("q=brick&ids=,")).rows == []


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in queries.SORTS for sign in ("", "-")])
def test_pages_in_every_order_lose_and_repeat_nothing(sort: str) -> None:
    for number in range(11):
        make_lot(
            color_id=(1, 5, 7)[number % 3], unit_price=Decimal(number % 4), qty=number % 3,
            cost_basis=Decimal("0.5") if number % 2 else None, sale_percent=number % 2 * 5,
            low_stock_threshold=number % 3 or None, remarks="" if number % 2 else f"R{number}",
            last_sold_at=NOW - timedelta(days=number % 3) if number % 4 else None,
        )  # fmt: skip
    seen, cursor, pages = [], None, []
    while True:
        page = queries.list_page(Filters(), sort=sort, cursor=cursor, limit=3)
        seen += [row.id for row in page.rows]
        pages.append([row.id for row in page.rows])
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == len(set(seen)) == 11
    for place in range(len(pages) - 1, 0, -1):
        assert page.previous, f"page {place} of {len(pages)} has none before it"
        page = queries.list_page(Filters(), sort=sort, cursor=page.previous, limit=3)
        assert [row.id for row in page.rows] == pages[place - 1]
    assert page.previous is None
    key = queries.SORTS[sort.removeprefix("-")].key
    values = list(queries.sortable(InventoryItem.objects.all(), sort).values_list("pk", key))
    by_id = dict(values)
    in_order = [by_id[lot_id] for lot_id in seen]
    known = [value for value in in_order if value is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))
    if queries.SORTS[sort.removeprefix("-")].nulls_last:
        assert in_order == known + [None] * (len(in_order) - len(known)), "what has no value comes last either way"


def test_totals_are_exact_and_give_up_on_time(monkeypatch: pytest.MonkeyPatch, fill: Fill) -> None:
    make_lot(qty=10, unit_price=Decimal("0.12"))
    make_lot(qty=5, unit_price=Decimal(2), color_id=1)
    found = queries.totals_of(Filters())
    assert (found.lots, found.pieces, found.value, found.is_capped) == (2, 15, Decimal("11.2"), False)
    fill(20_000)
    monkeypatch.setattr(queries, "_PATIENCE_MS", 1)
    assert queries.totals_of(Filters()) == queries.Totals(queries.COUNTED, is_capped=True)


# Answers at 20,000 lots and more, by the filters that the page has; each with an index that serves it.
_SERVED = [
    "", "q=3001", "q=brick", "q=technic 4501", "q=30", "type=SET", "color=5", "color=5&color=7", "category=Tile",
    "condition=USED", "grade=GOOD", "completeness=COMPLETE", "placed=no", "placed=no&qty_min=1", "location=A-03*",
    "price_min=2.9", "price_max=0.05", "qty_min=399", "reserved=yes", "stockroom=any", "stockroom=A", "retain=yes",
    "sale=yes", "cost=no", "cost=yes", "low=yes", "stale=yes", "stale=yes&qty_min=1", "tiers=yes", "locked=yes",
    "reserved_for=Ana", "added_since=2020-01-01", "updated_since=2020-01-01",
    "ids=01900000-0000-7000-8000-000000000001", "color=5&condition=NEW&category=Brick",
]  # fmt: skip


def _plan(query: str, sort: str) -> list[str]:
    filters = Filters.parse(query)
    assert not filters.unknown, query
    explain = Explain("inventory_inventoryitem")
    with connection.execute_wrapper(explain):
        queries.list_page(filters, sort=sort, limit=50)
    return explain.plans


def test_no_filter_and_no_sort_reads_all_lots(fill: Fill) -> None:
    fill(20_000)
    place = make_location("A-03-1")
    lot = InventoryItem.objects.order_by("pk").first()
    assert lot
    write_placements({(lot.pk, place.pk): 1})
    pairs = [(query, sort) for query in _SERVED for sort in ("number", "-price")]
    pairs += [("", f"{sign}{name}") for name in queries.SORTS for sign in ("", "-")]
    scanned = []
    for query, sort in pairs:
        scanned += [f"?{query}&sort={sort}\n{plan}" for plan in scans(_plan(query, sort), "inventory_inventoryitem")]
    assert not scanned, "\n\n".join(scanned)


def test_a_page_in_the_middle_begins_where_the_one_before_ended(fill: Fill) -> None:
    fill(20_000)
    pages = queries.ordering_of("price")
    lots = InventoryItem.objects.all()
    middle = InventoryItem.objects.order_by("unit_price", "pk")[10_000]
    found = pages.page(lots, cursor=pages.cursor_at(middle, backwards=False), limit=50)
    assert found.rows[0].unit_price >= middle.unit_price
    explain = Explain("inventory_inventoryitem")
    with connection.execute_wrapper(explain):
        pages.page(lots, cursor=pages.cursor_at(middle, backwards=False), limit=50)
    assert "Index Cond: (ROW(unit_price, id) >" in explain.plans[0], explain.plans[0]


def test_columns_keep_the_widths_that_the_address_gives_them() -> None:
    state = ListState.of(QueryDict("columns=item:320,color:9999,price:7,nonsense:80,remarks:x&sort=price"))
    assert state.widths == {"item": 320, "color": 800, "price": 48}
    assert state.named(["color", "item", "added"]) == "color:800,item:320,added"
    assert [head.width for head in state.heads if head.name in {"item", "remarks"}] == [320, None]


def test_a_list_that_is_asked_shows_what_its_lots_are_sold_for() -> None:
    known, old, unsold = (make_lot(item_no=number) for number in ("3001", "3002", "3003"))
    make_lot(item_no="3001", color_id=7)
    whole = make_lot(item_type="SET", item_no="21200-1", color_id=None, completeness="SEALED")
    know(known, "0.1234")
    know(old, "0.5", age=timedelta(days=20))
    know(unsold, None)
    know(whole, "30")
    rows = {(row.item_no, row.color_id): row.sold for row in queries.list_page(Filters(), has_sold=True).rows}
    assert {key: sold and (sold.price, sold.qty, sold.is_old) for key, sold in rows.items()} == {
        ("3001", 5): (Decimal("0.1234"), 200, False),
        ("3001", 7): None,
        ("3002", 5): (Decimal("0.5"), 200, True),
        ("3003", 5): (None, 0, False),
        ("21200-1", None): (Decimal(30), 200, False),
    }
    assert all(row.sold is None for row in queries.list_page(Filters()).rows)


def test_the_column_of_what_lots_are_sold_for_has_no_sort(client: Client) -> None:
    client.force_login(make_user(role="readonly"))
    know(make_lot(), "0.1234")
    page = client.get("/inventory/?columns=item,sold_for").content.decode()
    assert "6-mo €" in page
    assert "0.1234" in page
    assert "200 sold in six months" in page
    assert 'aria-label="Width of 6-mo"' in page
    assert ">6-mo €</a>" not in page
    assert "0.1234" not in client.get("/inventory/?columns=item").content.decode()

"""The state of the list of lots: which columns, sorts and filters its address may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from common import tables
from common.filters import FilterSet
from common.tables import NARROWEST, WIDEST, Chip, Column, canonical
from inventory.queries.filters import Filters
from inventory.queries.lots import DEFAULT_SORT, SORTS

__all__ = ["COLUMNS", "NARROWEST", "WIDEST", "Chip", "Column", "ListState", "canonical", "list_url"]

COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("item", "Item", "number", "main", is_fixed=True),
        Column("color", "Color", "color"),
        Column("condition", "Cond.", "condition"),
        Column("available", "Avail.", "available", "num side", is_fixed=True),
        Column("reserved", "Resv.", "reserved", "num"),
        Column("price", "Price", "price", "num", is_fixed=True),
        Column("sold_for", "6-mo", classes="num"),
        Column("location", "Location", "location"),
        Column("remarks", "Remarks", "remarks"),
        Column("cost", "Cost", "cost", "num"),
        Column("margin", "Margin", "margin", "num"),
        Column("threshold", "Low below", "threshold", "num"),
        Column("sale", "Sale", "sale", "num"),
        Column("tiers", "Tier prices", "tiers"),
        Column("category", "Category", "category"),
        Column("type", "Type", "type"),
        Column("description", "Description", "description"),
        Column("stockroom", "Stockroom", "stockroom"),
        Column("retain", "Retain", "retain"),
        Column("weight", "Weight g", "weight", "num"),
        Column("reserved_for", "Reserved for", "reserved_for"),
        Column("added", "Added", "added"),
        Column("sold", "Last sold", "sold"),
        Column("updated", "Changed", "updated"),
    )
}
DEFAULT_COLUMNS = ("item", "color", "condition", "available", "reserved", "price", "location", "remarks")


@dataclass(frozen=True, slots=True)
class ListState(tables.ListState):
    """What the address of the list of lots asks for."""

    url_name: ClassVar[str] = "inventory:list"
    all_columns: ClassVar[Mapping[str, Column]] = COLUMNS
    default_columns: ClassVar[tuple[str, ...]] = DEFAULT_COLUMNS
    sorts: ClassVar[Mapping[str, object]] = SORTS
    default_sort: ClassVar[str] = DEFAULT_SORT
    filters_class: ClassVar[type[FilterSet]] = Filters

    filters: Filters


def list_url(query: str = "") -> str:
    """Answer the list's address."""
    return ListState.list_url(query)

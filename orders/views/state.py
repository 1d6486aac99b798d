"""The state of the list of orders: which columns, sorts and filters its address may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from common import tables
from common.filters import FilterSet
from common.tables import Column
from orders.queries.filters import Filters
from orders.queries.orders import DEFAULT_SORT, SORTS

COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("order", "Order", "number", "main", is_fixed=True),
        Column("store", "Store"),
        Column("buyer", "Buyer"),
        Column("country", "Country"),
        Column("lots", "Lots", classes="num"),
        Column("pieces", "Pieces", classes="num"),
        Column("total", "Total", "total", "num side", is_fixed=True),
        Column("status", "Status", "changed", is_fixed=True),
        Column("payment", "Payment"),
        Column("ship_by", "Ship by", "ship_by"),
        Column("placed", "Placed", "placed"),
        Column("tags", "Tags"),
    )
}
DEFAULT_COLUMNS = (
    "order", "store", "buyer", "country", "lots", "pieces", "total", "status", "ship_by", "placed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListState(tables.ListState):
    """What the address of the list of orders asks for."""

    url_name: ClassVar[str] = "orders:list"
    all_columns: ClassVar[Mapping[str, Column]] = COLUMNS
    default_columns: ClassVar[tuple[str, ...]] = DEFAULT_COLUMNS
    sorts: ClassVar[Mapping[str, object]] = SORTS
    default_sort: ClassVar[str] = DEFAULT_SORT
    filters_class: ClassVar[type[FilterSet]] = Filters

    filters: Filters

"""What the owner of a file chose: what becomes of lots that are there already, and how its columns are read."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from inventory.choices import FieldPolicy, QuantityPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`currency_rate`: how much of the shop's currency one of the file's is; None where they are the same.

    `mapping`: field by column, for formats with columns. `apply_at_once`: without a look at the preview. `left_out_by`:
    of the file of an earlier import only the lines that it had to leave out (its id).
    """

    quantity: QuantityPolicy = QuantityPolicy.SET
    fields: FieldPolicy = FieldPolicy.FILE
    create_new: bool = True
    with_excluded: bool = False
    read_locations: bool = False
    currency_rate: Decimal | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    apply_at_once: bool = False
    left_out_by: str = ""

    def as_json(self) -> dict[str, Any]:
        """Answer the options as an import stores them."""
        values = asdict(self)
        values["currency_rate"] = None if self.currency_rate is None else str(self.currency_rate)
        return values

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Options":
        """Answer the options that an import has stored."""
        rate = values.get("currency_rate")
        return cls(
            **{
                **values,
                "quantity": QuantityPolicy(values.get("quantity", QuantityPolicy.SET)),
                "fields": FieldPolicy(values.get("fields", FieldPolicy.FILE)),
                "currency_rate": None if rate is None else Decimal(rate),
            }
        )

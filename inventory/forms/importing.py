"""Forms of import: the file, what it cannot say itself, and what it shall do."""

from decimal import Decimal
from typing import Any

from django import forms

from catalog.queries.rates import Rate
from inventory.choices import FieldPolicy, QuantityPolicy
from inventory.formats.base import COLUMN_FIELDS
from inventory.services.importing import Options

# What people choose between, and what it means for lots that are there already.
_WAYS = {
    "set": (QuantityPolicy.SET, FieldPolicy.FILE, True),
    "add": (QuantityPolicy.ADD, FieldPolicy.KEEP, True),
    "fields": (QuantityPolicy.KEEP, FieldPolicy.FILE, False),
    "new": (QuantityPolicy.KEEP, FieldPolicy.KEEP, True),
}
_RATE_LIMIT = Decimal(10_000)
# Fields in the words of the mapping, in the order in which people look for them.
_FIELD_WORDS = {
    "item_type": "Type", "item_no": "Item number", "lego_element_id": "LEGO element id",
    "brickowl_id": "Brick Owl number (BOID)", "rebrickable_id": "Rebrickable number", "ldraw_id": "LDraw number",
    "rebrickable_color_id": "Color id (Rebrickable)", "brickowl_color_id": "Color id (Brick Owl)",
    "ldraw_color_id": "Color id (LDraw)", "item_name": "Name", "category_name": "Category",
    "color_id": "Color id (BrickLink)", "color_name": "Color name", "condition": "Condition",
    "completeness": "Completeness", "sub_condition": "Grade", "qty": "Quantity",
    "qty_delta": "Change of quantity (+5, −3)",
    "unit_price": "Price", "cost_basis": "Cost of a piece", "sale_percent": "Sale %", "bulk": "Bulk",
    "tier_qty_1": "Tier 1: from", "tier_price_1": "Tier 1: price", "tier_qty_2": "Tier 2: from",
    "tier_price_2": "Tier 2: price", "tier_qty_3": "Tier 3: from", "tier_price_3": "Tier 3: price",
    "description": "Description", "remarks": "Remarks", "locations": "Locations", "is_retain": "Retain",
    "is_stock_room": "Stockroom yes/no", "stock_room_id": "Stockroom A, B, C", "weight_grams": "Weight in grams",
    "low_stock_threshold": "Low stock below", "reserved_for": "Reserved for", "acquired_from": "Acquired from",
    "date_added": "Date added", "last_sold_at": "Last sold", "bricklink_lot_id": "BrickLink lot number",
}  # fmt: skip


class UploadForm(forms.Form):
    """A file of stock."""

    file = forms.FileField(
        label="File", help_text="BrickStore BSX, BrickLink XML, CSV, Excel or JSON. The kind is found by its content."
    )
    key = forms.CharField(max_length=100, widget=forms.HiddenInput)


class ImportOptionsForm(forms.Form):
    """What an import does with lots that are there already."""

    way = forms.ChoiceField(
        label="Lots that you have already",
        widget=forms.RadioSelect,
        choices=[
            ("set", "Set quantity, price and the other fields to the file's"),
            ("add", "Add the file's quantities, leave everything else as it is"),
            ("fields", "Change fields only, no quantities and no new lots"),
            ("new", "Leave them alone, add new lots only"),
        ],
    )
    with_excluded = forms.BooleanField(label="Import lines that the file marks as excluded, too", required=False)
    read_locations = forms.BooleanField(label="Read locations out of the remarks", required=False)

    @classmethod
    def of(cls, options: Options, **kwargs: Any) -> "ImportOptionsForm":
        """Answer the form with what was chosen."""
        chosen = (options.quantity, options.fields, options.create_new)
        way = next((name for name, way in _WAYS.items() if way == chosen), "set")
        initial = {"way": way, "with_excluded": options.with_excluded, "read_locations": options.read_locations}
        return cls(initial=initial, **kwargs)

    def options(self, base: Options) -> Options:
        """Answer the chosen options, on top of the answers that were given before."""
        quantity, fields, create_new = _WAYS[self.cleaned_data["way"]]
        return Options(
            quantity=quantity,
            fields=fields,
            create_new=create_new,
            with_excluded=self.cleaned_data["with_excluded"],
            read_locations=self.cleaned_data["read_locations"],
            currency_rate=base.currency_rate,
            mapping=base.mapping,
        )


class AmountField(forms.DecimalField):
    """An amount, typed with a point or a comma."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs mix it up with IntegerField
        """Read what was typed."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Answer nothing more: limits are told by the server, in words."""
        return {}


class AnswersForm(forms.Form):
    """What a file can't say itself: what its columns mean, and what its money is worth."""

    def __init__(
        self, *args: Any, columns: tuple[str, ...], mapping: dict[str, str], rate: tuple[str, str] | None,
        known_rate: Rate | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._columns = columns
        choices = [("", "Leave out"), *((name, _FIELD_WORDS[name]) for name in _FIELD_WORDS if name in COLUMN_FIELDS)]
        for place, column in enumerate(columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=column or f"Column {place + 1}",
                required=False,
                choices=choices,
                initial=mapping.get(column, ""),
            )
        if rate:
            theirs, ours = rate
            help_text = f"The file's prices are in {theirs}. They are converted at this rate, once."
            if known_rate:
                help_text += f" Filled in is the European Central Bank's rate of {known_rate.day:%-d %b %Y}."
            self.fields["rate"] = AmountField(
                label=f"One {theirs} is how many {ours}?",
                help_text=help_text,
                initial=known_rate.value if known_rate else None,
                min_value=Decimal("0.0001"),
                max_value=_RATE_LIMIT,
                max_digits=10,
                decimal_places=6,
            )

    def mapping(self) -> dict[str, str]:
        """Answer the fields by column."""
        chosen = {column: self.cleaned_data.get(f"column_{place}", "") for place, column in enumerate(self._columns)}
        return {column: name for column, name in chosen.items() if name}

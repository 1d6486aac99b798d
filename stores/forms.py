"""What people type about a store, turned into values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from common.errors import Invalid, ProblemError
from stores.channels import ChannelSpec, LotField
from stores.models import Store
from stores.settings_schema import PriceChange, Rounding, settings_of

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
_FIELD_LABELS = {
    LotField.PRICE: "Price",
    LotField.DESCRIPTION: "Description",
    LotField.REMARKS: "Remarks",
    LotField.TIERS: "Tier prices",
    LotField.BULK: "Bulk",
    LotField.SALE: "Sale",
    LotField.RETAIN: "Retain",
    LotField.STOCKROOM: "Stockroom",
}
# Which fields of the form make which setting.
_OF_SETTING = {
    "price_rule": (
        "price_change", "price_value", "price_used_change", "price_used_value", "price_rounding", "price_minimum",
    ),
    "quantity_rule": ("keep_back", "at_most", "last_piece"),
}  # fmt: skip
_CHANGES = [
    (PriceChange.SAME, "Same as the lot's"), (PriceChange.PERCENT, "Percent more or less"),
    (PriceChange.AMOUNT, "Amount more or less"),
]  # fmt: skip
_OWNER_LABELS = {
    "": "Ask me; what was changed only there is taken over",
    "ours": "Ours always",
    "channel": "The store's",
    "newest": "The newest",
    "ask": "Ask me always",
}
_OWNED = "owner_"
# Settings that are no fields of the form by their names.
_NOT_TYPED = frozenset({"currency", "is_away", "owners"})
# Where a part of the form begins, and what it is called.
_HEADINGS = {
    "auto_sync": "Stock", "import_orders_since": "Orders", "price_change": "Prices", "keep_back": "Quantities",
    "fields_synced": "Fields",
}  # fmt: skip
_POINTERS = {
    "price_rule/change": "price_change",
    "price_rule/value": "price_value",
    "price_rule/rounding": "price_rounding",
    "price_rule/minimum": "price_minimum",
    "price_rule/used_change": "price_used_change",
    "price_rule/used_value": "price_used_value",
    "quantity_rule/keep_back": "keep_back",
    "quantity_rule/at_most": "at_most",
}


def add_errors(form: forms.BaseForm, error: ProblemError) -> None:
    """Show what a service refused beside the fields that it names by JSON pointer, or above them all."""
    pointers = error.errors if isinstance(error, Invalid) else {}
    for pointer, messages in pointers.items():
        name = pointer.strip("/").removeprefix("settings/").removeprefix("credentials/")
        name = _POINTERS.get(name, name)
        if name in form.fields and form.fields[name].widget.is_hidden:
            # What has to be said is asked for where it is missing.
            form.fields[name].widget = forms.NumberInput({"autocomplete": "off"})
        form.add_error(name if name in form.fields else None, [*messages])
    if not pointers:
        form.add_error(None, error.detail or error.title)


class CredentialsForm(forms.Form):
    """What opens a store, by what its channel wants. Secrets that were typed are never shown again."""

    def __init__(self, *args: Any, spec: ChannelSpec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in spec.credentials:
            widget = forms.PasswordInput if each.is_secret else forms.TextInput
            attributes = {**_PLAIN, "autocomplete": "new-password" if each.is_secret else "off"}
            self.fields[each.name] = forms.CharField(
                label=each.label, help_text=each.help, max_length=500, widget=widget(attributes)
            )


class StoreForm(forms.Form):
    """A store's name, role and settings: of these, the ones that its channel has."""

    name = forms.CharField(max_length=100, widget=forms.TextInput({"autocomplete": "off"}))
    is_primary = forms.BooleanField(
        label="Primary store", required=False, help_text="Where two stores differ, its word counts. One at most is."
    )
    auto_sync = forms.BooleanField(
        label="Keep stock in step by itself", required=False,
        help_text="Off: stock goes there only by a sync run. Orders come in all the same.",
    )  # fmt: skip
    list_new_lots = forms.BooleanField(
        label="List new lots by itself", required=False,
        help_text="Once a sync run has brought the store into step. Off: the store's page counts what isn't there yet.",
    )  # fmt: skip
    listed_query = forms.CharField(
        label="Only these lots", required=False, max_length=1_000, widget=forms.TextInput({"autocomplete": "off"}),
        help_text="Narrow the inventory's list by type, color, tag, place or price, and put its address here. "
        "Empty: all lots. What isn't one of these is taken off there.",
    )  # fmt: skip
    # Shown once another choice of lots takes many off.
    confirmed_removals = forms.IntegerField(
        label="Lots that are taken off there", required=False, min_value=0, widget=forms.HiddenInput
    )
    sync_interval_hours = forms.IntegerField(
        label="Hours between checks", help_text="How often the whole store is compared with what it should show.",
    )  # fmt: skip
    repair_drift = forms.BooleanField(
        label="Put small differences right by itself", required=False,
        help_text="What such a check finds: at most a tenth of the lots, and only if none is removed, missing or asked "
        "about. Off: the check waits for you to approve it.",
    )  # fmt: skip
    import_orders_since = forms.DateField(
        label="Orders since", required=False, widget=forms.DateInput({"type": "date"}),
        help_text="Orders that were placed earlier aren't brought in.",
    )  # fmt: skip
    push_order_status = forms.BooleanField(
        label="Tell it how orders stand", required=False, help_text="Being picked, packed and shipped."
    )
    push_tracking = forms.BooleanField(label="Tell it tracking numbers", required=False)
    push_delivered = forms.BooleanField(
        label="Tell it that orders arrived", required=False, help_text="Usually that is the buyer's word."
    )
    push_completed = forms.BooleanField(label="Tell it that orders are completed", required=False)
    price_change = forms.ChoiceField(label="Price", choices=_CHANGES)
    price_value = forms.DecimalField(
        label="By", required=False, help_text="For a change in percent or by an amount. Below zero: cheaper there."
    )
    price_used_change = forms.ChoiceField(
        label="Price of used lots", required=False, choices=[("", "As of new ones"), *_CHANGES]
    )
    price_used_value = forms.DecimalField(label="By, for used lots", required=False)
    price_rounding = forms.ChoiceField(label="Rounded", choices=[
        (Rounding.NONE, "Not"), (Rounding.TO_99, "To .99"), (Rounding.TO_95, "To .95"),
        (Rounding.TO_5_CENTS, "To 5 cents"),
    ])  # fmt: skip
    price_minimum = forms.DecimalField(label="Lowest price", required=False)
    keep_back = forms.IntegerField(
        label="Keep back", required=False, help_text="So many pieces of each lot aren't offered there."
    )
    at_most = forms.IntegerField(label="Offer at most", required=False, help_text="Empty: all there are.")
    last_piece = forms.BooleanField(
        label="Offer the last piece here too", required=False,
        help_text="Off: the last piece of a lot is offered in the primary store only, so that nobody sells it twice.",
    )  # fmt: skip
    fields_synced = forms.MultipleChoiceField(
        label="Fields kept in step", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="A quantity always is.",
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, spec: ChannelSpec | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        has = set(settings_of(spec)) if spec else set()
        self._settings = has
        parts = {part for name, parts in _OF_SETTING.items() if name in has for part in parts}
        keep = {"name", "version", *has, *parts, *({"is_primary"} if spec and spec.credentials else set())}
        keep |= {"fields_synced"} if "fields" in has else set()
        keep |= {"confirmed_removals"} if "listed_query" in has else set()
        self.fields = {name: field for name, field in self.fields.items() if name in keep}
        if "owners" in has and spec is not None:
            for each, label in _FIELD_LABELS.items():
                if each in spec.lot_fields:
                    self.fields[f"{_OWNED}{each.value}"] = forms.ChoiceField(
                        label=f"{label}, if it was changed here and there", required=False,
                        choices=list(_OWNER_LABELS.items()),
                    )  # fmt: skip
        if "fields_synced" in self.fields and spec is not None:
            chosen = [(each.value, label) for each, label in _FIELD_LABELS.items() if each in spec.lot_fields]
            self.fields["fields_synced"].choices = chosen  # type: ignore[attr-defined]  # it is one of choices

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Answer the fields in parts, each with its heading; the first has none."""
        parts: list[tuple[str, list[forms.BoundField]]] = [("", [])]
        for field in self:
            if field.name in _HEADINGS:
                parts.append((_HEADINGS[field.name], []))
            parts[-1][1].append(field)
        return parts

    @classmethod
    def values_of(cls, store: Store, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the form's values of a store."""
        price, quantity = settings.get("price_rule") or {}, settings.get("quantity_rule") or {}
        return {
            **settings,
            "name": store.name,
            "is_primary": store.is_primary,
            "version": store.version,
            "price_change": price.get("change"),
            "price_value": price.get("value"),
            "price_rounding": price.get("rounding"),
            "price_minimum": price.get("minimum"),
            "keep_back": quantity.get("keep_back"),
            "at_most": quantity.get("at_most"),
            "last_piece": quantity.get("last_piece", True),
            "price_used_change": price.get("used_change") or "",
            "price_used_value": price.get("used_value"),
            **{f"{_OWNED}{name}": owner for name, owner in (settings.get("owners") or {}).items()},
            "fields_synced": settings.get("fields"),
        }

    @property
    def changes(self) -> dict[str, Any]:
        """Answer what is to change of the store."""
        data = self.cleaned_data
        settings: dict[str, Any] = {
            name: data[name] for name in self._settings if name in data and name not in _NOT_TYPED
        }
        if "price_rule" in self._settings:
            settings["price_rule"] = {
                "change": data["price_change"],
                "value": data["price_value"] if data["price_value"] is not None else Decimal(0),
                "rounding": data["price_rounding"],
                "minimum": data["price_minimum"],
                "used_change": data["price_used_change"] or None,
                "used_value": data["price_used_value"] if data["price_used_value"] is not None else Decimal(0),
            }
        if "quantity_rule" in self._settings:
            settings["quantity_rule"] = {
                "keep_back": data["keep_back"] or 0, "at_most": data["at_most"], "last_piece": data["last_piece"],
            }  # fmt: skip
        if "owners" in self._settings:
            settings["owners"] = {
                name.removeprefix(_OWNED): data[name] for name in data if name.startswith(_OWNED) and data[name]
            }
        if "fields" in self._settings:
            settings["fields"] = data["fields_synced"]
        own: dict[str, Any] = {name: data[name] for name in ("name", "is_primary") if name in data}
        return {**own, "settings": settings}

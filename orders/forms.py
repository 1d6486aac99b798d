"""What people type about orders, turned into values."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django_countries import countries

from common.errors import Invalid, ProblemError
from orders.choices import Flag
from orders.models import Order
from orders.services import NewLine
from orders.services.checks import ADDRESS_LENGTHS

_OFF = {"autocomplete": "off"}
_MOST_LINES = 1_000
_ADDRESS = ("name", "address1", "address2", "postal", "city", "state", "country", "phone")


def add_errors(form: forms.BaseForm, error: ProblemError) -> None:
    """Show what a service refused beside the fields that it names by JSON pointer, or above them all."""
    pointers = error.errors if isinstance(error, Invalid) else {}
    for pointer, messages in pointers.items():
        name = pointer.strip("/").replace("/", "_")
        form.add_error(name if name in form.fields else None, [*messages])
    if not pointers:
        form.add_error(None, error.detail or error.title)


def _text(label: str, length: int, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={**_OFF, **attrs})
    return forms.CharField(label=label, required=False, max_length=length, widget=widget)


def _amount(label: str) -> forms.DecimalField:
    widget = forms.TextInput(attrs={**_OFF, "inputmode": "decimal", "class": "num"})
    return forms.DecimalField(label=label, required=False, max_digits=12, decimal_places=2, min_value=0, widget=widget)


class AddressFields(forms.Form):
    """Where an order goes."""

    ship_to_name = _text("Name on the parcel", ADDRESS_LENGTHS["name"])
    ship_to_address1 = _text("Street", ADDRESS_LENGTHS["address1"])
    ship_to_address2 = _text("Second line", ADDRESS_LENGTHS["address2"])
    ship_to_postal = _text("Postcode", ADDRESS_LENGTHS["postal"])
    ship_to_city = _text("City", ADDRESS_LENGTHS["city"])
    ship_to_state = _text("State or region", ADDRESS_LENGTHS["state"])
    ship_to_country = forms.ChoiceField(label="Country", required=False, choices=[("", "–"), *countries])
    ship_to_phone = _text("Telephone", ADDRESS_LENGTHS["phone"])
    shipping_method = _text("Shipping method", 120)

    @property
    def address(self) -> dict[str, str]:
        """Answer the address as an order keeps it."""
        return {name: self.cleaned_data.get(f"ship_to_{name}", "") for name in _ADDRESS}


class NewOrderForm(AddressFields):
    """An order typed in, besides its lines."""

    buyer_name = _text("Buyer", 200)
    buyer_email = _text("E-mail", 254, inputmode="email")
    shipping_cost = _amount("Shipping")
    discount_amount = _amount("Discount")
    tax_amount = _amount("Tax")
    notes = forms.CharField(label="Notes", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": "3"}))
    is_paid = forms.BooleanField(label="It is paid: pick it now", required=False)

    @property
    def values(self) -> dict[str, Any]:
        """Answer what the order is made with."""
        data = self.cleaned_data
        amounts = {name: data[name] or Decimal(0) for name in ("shipping_cost", "discount_amount", "tax_amount")}
        texts = {name: data[name] for name in ("buyer_name", "buyer_email", "shipping_method", "notes")}
        return {**texts, **amounts, "ship_to": self.address}


class EditForm(AddressFields):
    """What may be changed of any order."""

    tracking_number = _text("Tracking number", 100)
    tracking_url = _text("Tracking page", 500, inputmode="url", placeholder="https://")
    tags = _text("Tags, with commas between", 600)
    flags = forms.MultipleChoiceField(
        label="Flags", required=False, choices=Flag.choices, widget=forms.CheckboxSelectMultiple
    )
    notes = forms.CharField(label="Notes", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": "4"}))
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def values_of(cls, order: Order) -> dict[str, Any]:
        """Answer an order as the form shows it."""
        address = {f"ship_to_{name}": order.ship_to.get(name, "") for name in _ADDRESS}
        return {
            **address, "shipping_method": order.shipping_method, "tracking_number": order.tracking_number,
            "tracking_url": order.tracking_url, "tags": ", ".join(order.tags), "flags": order.flags,
            "notes": order.notes, "version": order.version,
        }  # fmt: skip

    def changes(self, *, may_move: bool) -> dict[str, Any]:
        """Answer what is to be set. `may_move`: the address can still be changed."""
        data = self.cleaned_data
        plain = ("tracking_number", "tracking_url", "flags", "notes")
        changes: dict[str, Any] = {**{name: data[name] for name in plain}, "tags": data["tags"].split(",")}
        if may_move:
            changes |= {"ship_to": self.address, "shipping_method": data["shipping_method"]}
        return changes


class OrderFileForm(forms.Form):
    """A file of orders."""

    file = forms.FileField(
        label="File",
        help_text="CSV or Excel, with a row for each line of an order; BrickLink's own file of orders, too.",
    )
    key = forms.CharField(max_length=100, widget=forms.HiddenInput)


class TakeOverForm(forms.Form):
    """What the orders of a file do to the stock."""

    leaves_stock = forms.BooleanField(
        label="Leave the stock alone for orders that have left already",
        help_text="Tick it where their pieces were gone before you counted your stock.",
        required=False,
    )


class ReasonForm(forms.Form):
    """Why an order ends or goes back."""

    reason = _text("Reason", 300)


class RefundForm(forms.Form):
    """Money that goes back."""

    amount = _amount("Amount")
    reason = _text("Reason", 300)
    restock = forms.BooleanField(label="Put the pieces back to stock, where they lay", required=False)
    key = forms.UUIDField(widget=forms.HiddenInput)


def pieces_of(data: QueryDict) -> list[tuple[UUID, int]]:
    """Answer the pieces that were typed beside lines, without those left empty. Raises Invalid."""
    found = []
    for name in data:
        if not name.startswith("qty_"):
            continue
        text = data.get(name, "").strip()
        if text in ("", "0"):
            continue
        found.append((_uuid(name.removeprefix("qty_")), _whole(text)))
    return found


def lines_of(data: QueryDict) -> list[NewLine]:
    """Answer the lines of a form: `lot`, `qty`, `price` and `line`, one after the other. Raises Invalid."""
    lots, counts = data.getlist("lot")[:_MOST_LINES], data.getlist("qty")
    prices, lines = data.getlist("price"), data.getlist("line")
    found = []
    for index, lot in enumerate(lots):
        price = prices[index].strip() if index < len(prices) else ""
        line = lines[index] if index < len(lines) else ""
        found.append(
            NewLine(
                lot_id=_uuid(lot), qty=_whole(counts[index] if index < len(counts) else ""),
                unit_price=_price(price) if price else None, line_id=_uuid(line) if line else None,
            )
        )  # fmt: skip
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("This lot or line isn't known.", errors={"/lines": ["This lot or line isn't known."]}) from error


def _whole(text: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 7:  # noqa: PLR2004  # millions of pieces
        raise Invalid(errors={"/lines": [f"“{text[:20]}” is no number of pieces."]})
    return int(text)


def _price(text: str) -> Decimal:
    price = forms.DecimalField(max_digits=12, decimal_places=4, min_value=0)
    try:
        return price.clean(text.replace(",", "."))  # type: ignore[no-any-return]  # a Decimal
    except forms.ValidationError as error:
        raise Invalid(errors={"/lines": [f"“{text[:20]}” is no price."]}) from error

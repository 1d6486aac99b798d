"""The atoms of the pages: icons, money, times, badges, swatches, form controls. The only markup that Python makes."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from django import forms, template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common import actor, workspace
from common.money import minor_units

register = template.Library()

UNKNOWN = "–"
MINUS = "−"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}

_MINUTE = 60
_HOUR = 60 * _MINUTE
_RELATIVE_DAYS = 7
_UNIT_PRICE_PLACES = 4
_TOTAL_PLACES = 2

# How a status looks (ui.md, section 4), by what it is the status of.
_STATUS_VARIANTS = {
    "job": {
        "PENDING": "outline",
        "RUNNING": "info",
        "COMPLETED": "success",
        "FAILED": "danger",
        "CANCELLED": "outline",
    },
    "order": {
        "NEW": "info",
        "PENDING": "outline",
        "PICKING": "info",
        "PACKING": "info",
        "READY": "success outline",
        "SHIPPED": "",
        "DELIVERED": "",
        "COMPLETED": "",
        "CANCELLED": "danger outline",
        "REFUNDED": "warning outline",
    },
    "line": {"PENDING": "outline", "PICKED": "success", "PARTIAL": "warning", "MISSING": "danger"},
    "session": {"DRAFT": "outline", "ACTIVE": "info", "COMPLETED": "success", "CANCELLED": "outline"},
    "import": {
        "MAPPING": "warning",
        "READING": "info",
        "PREVIEW": "info",
        "APPLYING": "info",
        "COMPLETED": "success",
        "FAILED": "danger",
        "CANCELLED": "outline",
    },
    "run": {
        "PENDING": "outline",
        "FETCHING": "info",
        "COMPARING": "info",
        "PREVIEW_READY": "warning",
        "APPLYING": "info",
        "COMPLETED": "success",
        "FAILED": "danger",
        "CANCELLED": "outline",
    },
    "repricing": {
        "PLANNING": "info",
        "READY": "info",
        "APPLYING": "info",
        "COMPLETED": "success",
        "FAILED": "danger",
        "CANCELLED": "outline",
    },
}


@cache
def _sheet(name: str) -> str:
    """Answer the address of a sheet of drawings, which a long list names a thousand times."""
    return static(name)


# --- Icons, people ---------------------------------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """Draw one of the sprite's icons; without a label it is decoration, and hidden from screen readers."""
    classes = f"icon {size}".strip()
    href = f"{_sheet('img/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, href)


@register.filter
def initials(name: object) -> str:
    """Answer one or two capital letters for an avatar: `Marta Silva` is MS, `ana@example.com` is AN."""
    words = re.findall(r"[^\W_]+", str(name or "").partition("@")[0])
    if not words:
        return "?"
    letters: str = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()


# --- Numbers ---------------------------------------------------------------------------------------------------------
def _grouped(value: Decimal, places: int) -> str:
    """Write with thousands separators, rounded half up; a true minus, and none before a zero."""
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded):,.{places}f}"


def _decimal(value: object) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value))


@register.filter
def count(value: object) -> str:
    """Write a quantity: `104,212`; zero is 0 and unknown is a dash."""
    number = _decimal(value)
    return UNKNOWN if number is None else _grouped(number, 0)


@register.filter
def signed(value: object) -> str:
    """Write a change of a quantity with its sign: `+12`, `−3`."""
    number = _decimal(value)
    return UNKNOWN if number is None else f"{'+' if number > 0 else ''}{_grouped(number, 0)}"


@register.filter(name="money")
def money_filter(value: object) -> str:
    """Write an amount for a column whose head names the currency: `1,204.50`."""
    number = _decimal(value)
    return UNKNOWN if number is None else _grouped(number, _TOTAL_PLACES)


@register.filter
def unit_price(value: object) -> str:
    """Write a unit price: up to four decimals, trailing zeros beyond two cut (`0.0325`, `0.10`)."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    whole, _, decimals = _grouped(number, _UNIT_PRICE_PLACES).partition(".")
    return f"{whole}.{decimals[:_TOTAL_PLACES]}{decimals[_TOTAL_PLACES:].rstrip('0')}"


@register.filter
def percent(value: object) -> str:
    """Write a percentage with one decimal: `8.1 %`."""
    number = _decimal(value)
    return UNKNOWN if number is None else f"{_grouped(number, 1)} %"


@register.simple_tag
def money(amount: object, currency: str) -> str:
    """Write an amount with its currency: the shop's own by symbol (`€1,204.50`), another by code (`USD 12.00`)."""
    number = _decimal(amount)
    if number is None:
        return UNKNOWN
    text = _grouped(abs(number), minor_units(currency))
    own = currency == workspace.current().currency
    written = f"{SYMBOLS[currency]}{text}" if own and currency in SYMBOLS else f"{currency} {text}"
    return f"{MINUS}{written}" if number < 0 else written


# --- Times -----------------------------------------------------------------------------------------------------------
def relative(value: datetime, *, now: datetime) -> str:
    """Say when something was or will be, as lists show it. Both times are aware and in the shop's zone."""
    seconds = int((now - value).total_seconds())
    past = seconds >= 0
    size = abs(seconds)
    days = abs((now.date() - value.date()).days)
    if size < _MINUTE:
        return "just now" if past else "in a moment"
    if size < _HOUR:
        span = f"{size // _MINUTE} min"
    elif days == 0:
        span = f"{size // _HOUR} h"
    elif days == 1:
        return f"{'yesterday' if past else 'tomorrow'} {value:%H:%M}"
    elif days <= _RELATIVE_DAYS:
        span = f"{days} days"
    else:
        return format_date(value, "j M Y")
    return f"{span} ago" if past else f"in {span}"


@register.simple_tag
def when(value: datetime | date | None, style: str = "relative") -> SafeString | str:
    """Show a time in the shop's zone, the full time on hover. Styles: relative, full (`12 Mar 2026, 14:02`), date."""
    if value is None:
        return UNKNOWN
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), format_date(value, "j M Y"))
    zone = workspace.current().zone
    local = value.astimezone(zone)
    title = f"{format_date(local, 'D j M Y, H:i:s')} {local.tzname()}"
    stamp = local.isoformat(timespec="seconds")
    if style == "relative":
        text = relative(local, now=timezone.now().astimezone(zone))
        return format_html('<time datetime="{}" title="{}" data-when>{}</time>', stamp, title, text)
    text = format_date(local, "j M Y" if style == "date" else "j M Y, H:i")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, title, text)


# --- Badges, colors --------------------------------------------------------------------------------------------------
@register.simple_tag
def badge(label: object, variant: str = "", kind: str = "") -> SafeString:
    """Draw a badge. With `kind` the label is a stored status, and its look is the one that the product gives it."""
    text = str(label)
    if kind:
        variant = _STATUS_VARIANTS[kind][text]
        text = text.replace("_", " ").capitalize()
    return format_html('<span class="{}">{}</span>', f"badge {variant}".strip(), text)


_RGB = re.compile(r"#?([0-9a-fA-F]{6})")
_NO_COLOR = "c3cad5"
_CHECKER = '<path class="checker" d="M0 0h8v8H0zM8 8h8v8H8z"/>'
_SHEEN = '<path class="sheen" d="M-2 12 12-2M4 18 18 4"/>'
_GLITTER = '<path class="glitter" d="M3 3h2v2H3zM10 5h2v2h-2zM6 9h2v2H6zM12 11h2v2h-2zM3 12h2v2H3z"/>'
_OVERLAYS = {
    "transparent": "",
    "chrome": _SHEEN,
    "pearl": _SHEEN,
    "metallic": _SHEEN,
    "glitter": _GLITTER,
}


@register.simple_tag
def swatch(rgb: str, name: str, kind: str = "solid") -> SafeString:
    """Draw a color with its name; without RGB only the name. Kinds: solid, transparent and those of the overlays."""
    found = _RGB.fullmatch(rgb or "")
    if found is None:
        return format_html('<span class="swatch">{}</span>', name)
    clear = kind == "transparent"
    return format_html(
        '<span class="swatch"><svg viewBox="0 0 16 16" aria-hidden="true">{}'
        '<rect width="16" height="16" rx="3" fill="#{}"{}/>{}'
        '<rect class="edge" x=".5" y=".5" width="15" height="15" rx="2.5"/></svg>{}</span>',
        SafeString(f'<rect class="ground" width="16" height="16" rx="3"/>{_CHECKER}') if clear else "",
        found.group(1),
        SafeString(' fill-opacity=".5"') if clear else "",
        SafeString(_OVERLAYS.get(kind, "")),
        name,
    )


@register.simple_tag
def thing(item_type: str, rgb: str) -> SafeString:
    """Draw the outline of a kind of thing in a lot's color, in place of a picture; gray where it has none."""
    found = _RGB.fullmatch(rgb or "")
    return format_html(
        '<svg class="thumb" aria-hidden="true" fill="#{}"><use href="{}#{}"/></svg>',
        found.group(1) if found else _NO_COLOR,
        _sheet("img/types.svg"),
        item_type,
    )


# --- Permissions -----------------------------------------------------------------------------------------------------
@register.filter
def can(permission: str) -> bool:
    """Tell whether who acts has the permission: `{% if "users:invite"|can %}`. The view checks it all the same."""
    return actor.current().can(permission)


# --- Forms -----------------------------------------------------------------------------------------------------------
_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.HiddenInput, "hidden"),
    (forms.CheckboxInput, "checkbox"),
    (forms.CheckboxSelectMultiple, "choices"),
    (forms.RadioSelect, "choices"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.PasswordInput, "password"),
)


@register.filter
def widget_kind(field: BoundField) -> str:
    """Answer which markup a field needs: one of the kinds above, or input. Choices are radio buttons or ticks."""
    return next((kind for widget, kind in _KINDS if isinstance(field.field.widget, widget)), "input")


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Draw a field's control with its class; Django adds what ties it to its hint and error."""
    kind = widget_kind(field)
    name = {"choices": "choices", "password": "input"}.get(kind, kind)
    classes = f"{field.field.widget.attrs.get('class', '')} {name}".strip()
    return field.as_widget(attrs={"class": classes})


@register.filter
def shown(field: BoundField) -> str:
    """Write what a field holds, for whoever may read it only: of a choice its label, of nothing a dash."""
    value = field.value()
    choices = dict(getattr(field.field, "choices", ()))
    return str(choices.get(value, value) or UNKNOWN)


@register.simple_tag
def choice_control(option: forms.boundfield.BoundWidget) -> SafeString:
    """Draw one radio button or tick of a group."""
    option.data["attrs"]["class"] = "radio" if option.data["type"] == "radio" else "checkbox"
    return option.tag()

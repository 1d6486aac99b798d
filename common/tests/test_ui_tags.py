"""The atoms of the pages: what they write, and that every icon a page names is in the sprite."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.test import override_settings

from common import actor
from common.templatetags import ui

NOW = datetime(2026, 3, 12, 14, 2, 31, tzinfo=UTC)
SHOP = {"name": "Demo", "currency": "EUR", "timezone": "Europe/Lisbon", "country": "PT"}
ROOT = Path(settings.BASE_DIR)
SPRITE = (ROOT / "static" / "img" / "icons.svg").read_text(encoding="utf-8")
IN_SPRITE = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))


@pytest.fixture
def shop() -> Any:
    """The shop that amounts and times are written for."""
    with override_settings(WORKSPACE_PROVIDER="common.workspace.from_settings", WORKSPACE=SHOP):
        yield


def rendered(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


class AForm(forms.Form):
    """One field of each kind of markup."""

    name = forms.CharField(help_text="As your team sees it.")
    password = forms.CharField(widget=forms.PasswordInput)
    note = forms.CharField(widget=forms.Textarea, required=False)
    currency = forms.ChoiceField(choices=[("EUR", "Euro")])
    theme = forms.ChoiceField(choices=[("light", "Light"), ("dark", "Dark")], widget=forms.RadioSelect)
    roles = forms.MultipleChoiceField(choices=[("a", "Admin")], widget=forms.CheckboxSelectMultiple)
    remember = forms.BooleanField(required=False, help_text="For 14 days.")
    next = forms.CharField(widget=forms.HiddenInput, required=False)


# --- Numbers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "text"),
    [(104212, "104,212"), (0, "0"), (-2, "−2"), (None, "–"), ("", "–"), (Decimal("12.5"), "13")],
)
def test_writes_quantities_with_separators(value: object, text: str) -> None:
    assert ui.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1204.5"), "1,204.50"),
        (Decimal("-3.2"), "−3.20"),
        (Decimal("-0.004"), "0.00"),
        (Decimal("0.005"), "0.01"),
        (None, "–"),
    ],
)
def test_writes_amounts_with_two_decimals(value: object, text: str) -> None:
    assert ui.money_filter(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [("0.0325", "0.0325"), ("0.1", "0.10"), ("0.1250", "0.125"), ("1204", "1,204.00"), (None, "–")]
)
def test_cuts_zeros_of_unit_prices_beyond_two_decimals(value: object, text: str) -> None:
    assert ui.unit_price(value) == text


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("1204.5"), "EUR", "€1,204.50"),
        (Decimal("-3.2"), "EUR", "−€3.20"),
        (Decimal(12), "USD", "USD 12.00"),
        (Decimal(1200), "JPY", "JPY 1,200"),
        (None, "EUR", "–"),
    ],
)
def test_writes_another_currency_by_its_code(amount: Decimal | None, currency: str, text: str) -> None:
    assert ui.money(amount, currency) == text


def test_writes_percentages_with_one_decimal() -> None:
    assert ui.percent(Decimal("8.14")) == "8.1 %"


# --- Times -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=20), "yesterday 18:02"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=7), "7 days ago"),
        (timedelta(days=8), "4 Mar 2026"),
        (timedelta(seconds=-20), "in a moment"),
        (timedelta(minutes=-3), "in 3 min"),
        (timedelta(hours=-12), "tomorrow 02:02"),
        (timedelta(days=-3), "in 3 days"),
    ],
)
def test_says_times_as_lists_show_them(ago: timedelta, text: str) -> None:
    assert ui.relative(NOW - ago, now=NOW) == text


@pytest.mark.usefixtures("shop")
def test_shows_the_full_time_and_zone_on_hover(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    html = ui.when(datetime(2026, 3, 12, 13, 59, 31, tzinfo=UTC))
    assert html == (
        '<time datetime="2026-03-12T13:59:31+00:00" title="Thu 12 Mar 2026, 13:59:31 WET" data-when>3 min ago</time>'
    )


@pytest.mark.usefixtures("shop")
def test_shows_times_in_the_shops_zone() -> None:
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert ">2 Jul 2026, 00:30</time>" in ui.when(summer, "full")
    assert ">2 Jul 2026</time>" in ui.when(summer, "date")
    assert ">1 Jul 2026</time>" in ui.when(date(2026, 7, 1))
    assert ui.when(None) == "–"


# --- People, badges, colors ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "letters"),
    [("Marta Silva", "MS"), ("ana", "AN"), ("ana@example.com", "AN"), ("João de Sá", "JS"), ("", "?"), (None, "?")],
)
def test_abbreviates_names(name: object, letters: str) -> None:
    assert ui.initials(name) == letters


def test_draws_a_job_status_as_the_product_says() -> None:
    assert rendered('{% badge "RUNNING" kind="job" %}') == '<span class="badge info">Running</span>'
    assert rendered("{% badge name %}", name="<b>") == '<span class="badge">&lt;b&gt;</span>'


def test_draws_a_swatch_with_its_name() -> None:
    html = rendered('{% swatch "C91A09" "Red" %}')
    assert 'fill="#C91A09"' in html
    assert html.endswith("Red</span>")
    assert "style=" not in html


def test_draws_a_transparent_swatch_over_a_checkerboard() -> None:
    html = rendered('{% swatch "FC97AC" "Trans-Pink" "transparent" %}')
    assert "checker" in html
    assert 'fill-opacity=".5"' in html


def test_refuses_markup_in_place_of_a_color() -> None:
    assert rendered("{% swatch rgb name %}", rgb='"><script>', name="Red") == '<span class="swatch">Red</span>'


# --- Icons -----------------------------------------------------------------------------------------------------------
def test_hides_decoration_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in rendered('{% icon "users" %}')
    assert 'role="img" aria-label="Users"' in rendered('{% icon "users" "Users" %}')


def test_has_every_icon_that_pages_and_code_name() -> None:
    used = set()
    for path in (ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r'\{% icon "([^"]+)"', path.read_text(encoding="utf-8")))
        used |= set(re.findall(r'icon_name="([^"]+)"', path.read_text(encoding="utf-8")))
    for path in (ROOT / "static" / "js").glob("*.js"):
        if "min" not in path.name:
            used |= set(re.findall(r'icon\("([a-z0-9-]+)"\)', path.read_text(encoding="utf-8")))
    assert used - IN_SPRITE == set()


# --- Permissions -----------------------------------------------------------------------------------------------------
def test_tells_what_the_actor_may_do() -> None:
    page = '{% if "users:invite"|can %}invite{% endif %}'
    picker = actor.Actor(kind=actor.ActorKind.USER, id="1", name="Ana", permissions=frozenset({"picker:pick"}))
    admin = actor.Actor(kind=actor.ActorKind.USER, id="2", name="Eva", permissions=frozenset({"users:invite"}))
    with actor.use(picker):
        assert rendered(page) == ""
    with actor.use(admin):
        assert rendered(page) == "invite"


# --- Forms -----------------------------------------------------------------------------------------------------------
FIELD = '{% include "components/_field.html" with field=field only %}'


def test_ties_hint_and_error_to_the_control() -> None:
    form = AForm({"name": ""})
    form.is_valid()
    html = rendered(FIELD, field=form["name"])
    assert 'class="input"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("password", "password", "data-reveal"),
        ("note", "textarea", 'class="textarea"'),
        ("currency", "select", 'class="select"'),
        ("theme", "choices", '<input type="radio"'),
        ("roles", "choices", "<legend>Roles</legend>"),
        ("remember", "checkbox", 'class="checkbox"'),
        ("next", "hidden", 'type="hidden"'),
    ],
)
def test_draws_each_kind_of_field(name: str, kind: str, wanted: str) -> None:
    field = AForm()[name]
    assert ui.widget_kind(field) == kind
    assert wanted in rendered(FIELD, field=field)


def test_says_which_fields_are_optional() -> None:
    assert "optional" in rendered(FIELD, field=AForm()["note"])
    assert "optional" not in rendered(FIELD, field=AForm()["name"])


def test_sums_up_more_than_two_errors() -> None:
    summary = '{% include "components/_form_errors.html" with form=form only %}'
    form = AForm({})
    form.is_valid()
    html = rendered(summary, form=form)
    assert "5 values need a change" in html
    assert '<a href="#id_name">Name</a>' in html
    few = AForm({"name": "", "password": "", "currency": "EUR", "theme": "light", "roles": ["a"]})
    few.is_valid()
    assert rendered(summary, form=few).strip() == ""


# --- Error pages -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates" / "errors").glob("[0-9]*.html")), ids=lambda path: path.stem
)
def test_renders_error_pages_with_an_empty_context(path: Path) -> None:
    html = rendered(f'{{% include "errors/{path.name}" %}}')
    assert html.count("<h1") == 1
    assert path.stem in html
    assert 'href="/"' in html

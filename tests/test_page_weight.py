"""What a page sends besides itself stays within its budget (performance.md, P24)."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from common.testing.people import make_user

STATIC = Path(settings.BASE_DIR) / "static"
SCRIPTS_KB = 30  # of an ordinary page; all of them 60
STYLES_KB = 30
KB = 1024


def _weight(paths: list[Path]) -> float:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths) / KB


def test_everything_is_within_the_limit() -> None:
    assert _weight(sorted(STATIC.glob("js/*.js"))) <= 2 * SCRIPTS_KB
    assert _weight(sorted(STATIC.glob("css/*.css"))) <= STYLES_KB


@pytest.mark.django_db
def test_scripts_of_an_ordinary_page(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    page = client.get("/settings/users/").content.decode()
    names = re.findall(r'src="[^"]*/(js/[\w.-]+?)(?:\.[0-9a-f]{12})?\.js"', page)
    assert len(names) > 5
    assert _weight([STATIC / f"{name}.js" for name in names]) <= SCRIPTS_KB


def test_scripts_of_the_picking_page() -> None:
    # A page of its own, which asks for no other scripts but these.
    assert _weight([*STATIC.glob("js/picking/*.js"), STATIC / "js/theme.js", STATIC / "js/live.js"]) <= 2 * SCRIPTS_KB

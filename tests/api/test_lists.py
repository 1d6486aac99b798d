"""Lists: pages that neither skip nor repeat while rows come and go, filters, orders, trimmed rows, counts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common import workspace
from tests.api.conftest import Program, change, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _colleagues(owner: User) -> None:  # he is one of them
    for number in range(11):
        make_user("picker", email=f"p{number:02}@shop.example", display_name=f"Picker {number // 4}")


def walk(program: Program, query: str, *, back: bool = False) -> Iterator[dict[str, Any]]:
    """Answer the pages from the first on; or from the last back."""
    path: str | None = f"/users?{query}"
    while path:
        response = program.send("GET", path)
        assert response.status_code == 200, response.content
        page = response.json()
        yield page
        link = page["previous" if back else "next"]
        path = f"/users?{urlsplit(link).query}" if link else None


def rename(email: str, new: str) -> None:
    user = User.objects.get(email=email)
    user.email = new
    user.save()


def emails(page: dict[str, Any]) -> list[str]:
    return [row["email"] for row in page["results"]]


@pytest.mark.parametrize("ordering", ["display_name", "-display_name", "email", "-email", "created_at", "-created_at"])
@pytest.mark.parametrize("limit", [1, 3, 5, 12, 200])
def test_shows_every_row_once_both_ways(program: Program, ordering: str, limit: int) -> None:
    pages = list(walk(program, f"ordering={ordering}&limit={limit}"))
    there = [email for page in pages for email in emails(page)]
    name = ordering.removeprefix("-")
    wanted = User.objects.order_by(ordering, "-id" if ordering.startswith("-") else "id").values_list(
        "email", flat=True
    )
    assert there == list(wanted), name
    assert [len(page["results"]) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[0]["previous"] is None
    if len(pages) > 1:
        last = f"{urlsplit(pages[-2]['next']).query}"
        back = list(walk(program, last, back=True))
        assert [email for page in reversed(back) for email in emails(page)] == list(wanted)


def test_neither_skips_nor_repeats_while_rows_come_and_go(program: Program) -> None:
    pages = walk(program, "ordering=email&limit=4")
    first = next(pages)
    assert emails(first) == ["owner@shop.example", "p00@shop.example", "p01@shop.example", "p02@shop.example"]
    make_user("picker", email="a-before@shop.example")
    make_user("picker", email="p02a@shop.example")
    rename("p04@shop.example", "z@shop.example")
    second = next(pages)
    assert emails(second) == ["p02a@shop.example", "p03@shop.example", "p05@shop.example", "p06@shop.example"]
    back = program.send("GET", f"/users?{urlsplit(second['previous']).query}").json()
    assert emails(back) == emails(first)
    assert back["previous"] is not None, "somebody came in before"


def test_goes_on_when_the_row_at_the_cursor_is_gone(program: Program) -> None:
    pages = walk(program, "ordering=email&limit=4")
    next(pages)
    rename("p02@shop.example", "zz@shop.example")
    assert emails(next(pages))[0] == "p03@shop.example"


@pytest.mark.parametrize("cursor", ["x", "a.b.c", "eyJ9", "%2e", "0", "é", "x" * 900])
def test_refuses_a_cursor_that_is_not_ours(program: Program, cursor: str) -> None:
    assert program.send("GET", f"/users?cursor={cursor}").status_code == 400


def test_refuses_a_cursor_of_another_order_shop_or_maker(program: Program) -> None:
    link = urlsplit(next(walk(program, "ordering=email&limit=4"))["next"]).query
    assert program.send("GET", f"/users?{link}".replace("ordering=email", "ordering=created_at")).status_code == 400
    for salt in ("cursor:t_other", "cursor"):
        forged = signing.dumps(["email", False, False, ["a", "b"]], salt=salt)
        assert program.send("GET", f"/users?ordering=email&cursor={forged}").status_code == 400
    odd = signing.dumps(["email", False, False, ["a", "no key"]], salt=f"cursor:{workspace.current_key()}")
    assert program.send("GET", f"/users?ordering=email&cursor={odd}").status_code == 400


@pytest.mark.parametrize("letter", ["é", "积", "🧱"])
def test_goes_on_after_a_row_with_the_longest_name(program: Program, letter: str) -> None:
    for number in range(3):
        make_user("picker", email=f"long{number}@shop.example", display_name=letter * 120)
    pages = list(walk(program, "ordering=-display_name&limit=1"))
    assert len(pages) == User.objects.count()


def test_filters(program: Program) -> None:
    assert emails(program.send("GET", "/users?role=owner").json()) == ["owner@shop.example"]
    assert emails(program.send("GET", "/users?search=picker+p02").json()) == ["p02@shop.example"]
    change("p03@shop.example", is_active=False)
    assert emails(program.send("GET", "/users?is_active=false").json()) == ["p03@shop.example"]
    assert len(emails(program.send("GET", "/users?is_active=true&role=picker&limit=200").json())) == 10
    assert emails(program.send("GET", "/users?search=%25").json()) == []


def test_counts_and_trims_only_on_request(program: Program) -> None:
    plain = program.send("GET", "/users?limit=2").json()
    assert "count" not in plain
    page = program.send("GET", "/users?limit=2&count=true&fields=email,id&role=picker").json()
    assert page["count"] == 11
    assert all(set(row) == {"email", "id"} for row in page["results"])
    assert program.send("GET", f"/users?{urlsplit(page['next']).query}").json()["count"] == 11


def test_asks_the_database_as_often_for_many_rows_as_for_few(program: Program) -> None:
    counts = []
    for limit in (1, 12):
        with CaptureQueriesContext(connection) as queries:
            program.send("GET", f"/users?limit={limit}")
        counts.append(len(queries))
    assert counts[0] == counts[1]

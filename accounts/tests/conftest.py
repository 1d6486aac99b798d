"""What tests of people share: somebody who acts, and the ways in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client

from accounts.middleware import find_actor
from accounts.models import User
from accounts.testing import PASSWORD
from common import actor
from common.testing.template_guard import templates_do_not_query

Acting = Callable[[User], Any]


@contextmanager
def acting(user: User) -> Iterator[actor.Actor]:
    """Act as the user, with the permissions that he has now."""
    found = find_actor(str(user.pk))
    assert found is not None
    with actor.use(found) as who:
        yield who


def sign_in(client: Client, user: User, password: str = PASSWORD, **extra: Any) -> Any:
    """Post the sign-in form, as a browser does."""
    return client.post("/account/login/", {"login": user.email, "password": password}, **extra)


def another(client: Client, **defaults: Any) -> Any:
    """Answer one more browser at the same host, which nobody has signed in with."""
    return type(client)(**{**client.defaults, **defaults})


def at(client: Client, address: str) -> Any:
    """Answer one more browser, at that address, as the proxy tells it."""
    return another(client, HTTP_X_FORWARDED_FOR=address)


def is_signed_in(client: Client) -> bool:
    """Tell whether the browser may see a page of the signed in."""
    return client.get("/settings/sessions/").status_code == 200


@pytest.fixture(autouse=True)
def _templates_do_not_query() -> Iterator[None]:
    """Fail any query that a page of ours makes while it renders."""
    with templates_do_not_query():
        yield

"""Signs people in at a shop's host, for tests."""

from typing import Any

from accounts.models import User
from common.testing.people import PASSWORD, make_user


def sign_in(client: Any, *, role: str = "owner") -> User:
    """Make somebody with that role and sign him in by the page."""
    user: User = make_user(role=role)
    response = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert response.status_code == 302, response.content
    return user

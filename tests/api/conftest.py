"""People of the shop, and programs that act for them."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import tokens
from accounts.models import Role, User, UserRole
from common.testing.clients import ShopClient

HOST = f"shop.{settings.BASE_DOMAIN}"
CENTRAL = f"api.{settings.BASE_DOMAIN}"
PASSWORD = "a long enough password"


def make_user(role: str, **fields: Any) -> User:
    """Make a user with a system role, an address and PASSWORD."""
    email = fields.pop("email", f"{role}@shop.example")
    user = User(email=email, display_name=fields.pop("display_name", role.title()), **fields)
    user.set_password(PASSWORD)
    user.save()
    UserRole.objects.create(user=user, role=Role.objects.get(name=role, is_system=True))
    return user


def change(email: str, **fields: Any) -> None:
    """Change a user's row."""
    user = User.objects.get(email=email)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()


def token_of(user: User) -> str:
    """Answer an access token of the user's."""
    return tokens.issue_pair(user=user, device_name="Tests", now=timezone.now()).access_token


class Program(ShopClient):
    """A client of the API: sends JSON and, if it has one, its access token. What breaks is a 500, as outside."""

    def __init__(self, *, host: str = HOST, token: str = "") -> None:
        super().__init__(host=host, raise_request_exception=False)
        self.token = token

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a JSON body, or bytes as they are; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        content_type = named.pop("Content-Type", "application/json" if data else "")
        return self.generic(method, f"/api/v1{path}", data, content_type, headers=named)


@pytest.fixture
def visitor() -> Program:
    """Answer a program that hasn't signed in."""
    return Program()


@pytest.fixture
def owner(db: None) -> User:  # the user needs a shop
    """Answer the shop's owner."""
    return make_user("owner")


@pytest.fixture
def program(owner: User) -> Program:
    """Answer a program that acts for the owner."""
    return Program(token=token_of(owner))

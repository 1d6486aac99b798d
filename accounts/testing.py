"""Makes people for tests, the way the product makes them."""

from uuid import uuid4

from accounts import services
from accounts.models import User
from common.testing.people import PASSWORD

__all__ = ["PASSWORD", "make_user"]


def make_user(
    *,
    role: str = "owner",
    email: str = "",
    name: str = "",
    password: str | None = PASSWORD,
    is_verified: bool = True,
) -> User:
    """Answer a new user of the shop at hand with that role."""
    return services.create_user(
        email=email or f"{uuid4().hex[:12]}@shop.example",
        display_name=name or role.capitalize(),
        roles=[role],
        password=password,
        is_verified=is_verified,
    )

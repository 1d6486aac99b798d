"""What the tests of jobs stand on: users are found by a finder of our own, and no worker is asked to stop."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model

from common import actor, shutdown
from common.actor import Actor, ActorKind
from jobs.tests.factories import acting


@pytest.fixture(autouse=True)
def _find_users(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every active user have the permission to change settings."""

    def find(identity: str) -> Actor | None:
        user = get_user_model().objects.filter(pk=identity, is_active=True).first()
        return acting(user, "settings:write") if user else None

    monkeypatch.setitem(actor._finders, ActorKind.USER, find)
    yield
    shutdown.withdraw()

"""Says who acts in a request: the user of its session with what his roles allow, or a visitor."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.backends import PeopleBackend
from accounts.models import User
from accounts.roles import permissions_of
from accounts.sessions import SessionStore
from common import actor
from common.access import ANONYMOUS


def actor_of(user: User) -> actor.Actor:
    """Answer the identity that a user has, however he proved himself: session, token."""
    return actor.Actor(
        kind=actor.ActorKind.USER,
        id=str(user.pk),
        name=user.display_name or user.email,
        permissions=permissions_of(user),
    )


def find_actor(user_id: str) -> actor.Actor | None:
    """Answer the user as an identity with his present permissions; None where he is gone or deactivated."""
    user = PeopleBackend().get_user(user_id)
    return actor_of(user) if user else None


class ActorMiddleware:
    """Resolves the session's user once. Tokens and keys are the API's affair and name their actor there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        who = self._of_session(request)
        with actor.use(who), structlog.contextvars.bound_contextvars(user_id=who.id):
            return self.get_response(request)

    def _of_session(self, request: HttpRequest) -> actor.Actor:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(request.user, User):
            return ANONYMOUS
        if isinstance(request.session, SessionStore):
            request.session.touch(now=timezone.now())
        return actor_of(request.user)

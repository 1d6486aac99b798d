"""How a caller of the API shows who it is: the cookie of a session, or a token. Both end in one actor."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import tokens
from accounts.backends import user_of_family
from accounts.middleware import actor_of
from accounts.models import User
from accounts.sessions import SessionStore
from common.api.identity import Credential, CredentialKind
from common.errors import BadRequest, NotAuthenticated, PermissionDenied

_CHALLENGE = 'Bearer realm="Brikonnect"'
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def _nothing(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, _request: HttpRequest, reason: str) -> Any:
        return reason


def check_csrf(request: HttpRequest) -> None:
    """Pass, or raise PermissionDenied: a change by cookie needs the token that only pages of this host know."""
    if request.method in _SAFE:
        return
    check = _CsrfCheck(_nothing)
    check.process_request(request)
    if check.process_view(request, _nothing, (), {}):
        raise PermissionDenied("Send the CSRF token of your session as X-CSRF-Token.", reason="csrf")


def _session_user(request: Request) -> User | None:
    user = getattr(request._request, "user", None)
    return user if isinstance(user, User) and user.is_active else None


class SessionAuthentication(BaseAuthentication):
    """The session of a browser, with the CSRF token in `X-CSRF-Token` for whatever changes something."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        user = _session_user(request)
        if user is None:
            return None
        check_csrf(request._request)
        session = request._request.session
        row = session.row if isinstance(session, SessionStore) else None
        return user, Credential(CredentialKind.SESSION, actor_of(user), str(row.public_id) if row else "")

    def authenticate_header(self, _request: Request) -> str:
        return _CHALLENGE


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`. Asks for user and family each time: what ended is over."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = tokens.read(token.strip())
        user = user_of_family(user_id=claims.user_id, family_id=claims.family_id)
        if user is None:
            raise NotAuthenticated("The token is no longer valid.")
        changed_at = user.credentials_changed_at
        if changed_at is not None and claims.issued_at < changed_at:
            raise NotAuthenticated("The token is no longer valid.")
        other = _session_user(request)
        if other is not None and other.pk != user.pk:
            raise BadRequest("The request carries two identities: a cookie's and a token's.")
        return user, Credential(CredentialKind.TOKEN, actor_of(user), str(claims.family_id))

    def authenticate_header(self, _request: Request) -> str:
        return _CHALLENGE

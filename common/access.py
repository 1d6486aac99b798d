"""Who may open what: declared on the view, checked before it, read by the menu and by the test that walks every URL."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.http import HttpRequest, HttpResponse

from common import actor
from common.errors import NotAuthenticated, PermissionDenied

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
View = Callable[Concatenate[R, P], HttpResponse]


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks of its visitor. Open: nothing. Signed in: an identity. Permissions: all of them."""

    signed_in: bool
    permissions: tuple[str, ...] = ()

    def allows(self, who: actor.Actor) -> bool:
        """Tell whether `who` may open the view; nobody signed in is the anonymous actor."""
        return not self.signed_in or (who is not ANONYMOUS and all(who.can(name) for name in self.permissions))

    def check(self, who: actor.Actor) -> None:
        """Pass, or raise NotAuthenticated or PermissionDenied that names what is missing."""
        if self.signed_in and who is ANONYMOUS:
            raise NotAuthenticated
        for name in self.permissions:
            if not who.can(name):
                raise PermissionDenied(f"This needs the permission {name}.", permission=name)


OPEN = Access(signed_in=False)
SIGNED_IN = Access(signed_in=True)
# What the middleware sets for a request without an identity: unlike the system, it can do nothing.
ANONYMOUS = actor.Actor(kind=actor.ActorKind.USER, id="", name="Visitor")


def _guarded(view: "View[R, P]", access: Access) -> "View[R, P]":
    @wraps(view)
    def checked(request: R, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        access.check(actor.current())
        return view(request, *args, **kwargs)

    cast("Any", checked).access = access
    return cast("View[R, P]", checked)


def require(*permissions: str) -> Callable[["View[R, P]"], "View[R, P]"]:
    """Let only those in who have all the permissions."""
    return lambda view: _guarded(view, Access(signed_in=True, permissions=permissions))


def signed_in(view: "View[R, P]") -> "View[R, P]":
    """Let everybody in who is signed in."""
    return _guarded(view, SIGNED_IN)


def open_to_all(view: "View[R, P]") -> "View[R, P]":
    """Let everybody in, and say so."""
    return _guarded(view, OPEN)

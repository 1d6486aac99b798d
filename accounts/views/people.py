"""Colleagues: the list, one user, invitations."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import queries, services
from accounts.forms import InviteForm, UserFilter, UserRolesForm, add_errors
from audit.context import current_change_set_id
from common import actor, entitlements
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, render
from common.http import HttpRequest

View = Callable[..., HttpResponse]
PAGE = 50
MAX_DIGITS = 6
CLOSED_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Where in a list one is (components/_pager.html)."""

    first: int
    last: int
    total: int
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that narrows the list (components/_chips.html)."""

    label: str
    remove_url: str
    unknown: bool = False


def _proved(view: View) -> View:
    """Ask for the password or a code first, as for one's own second factor."""
    return cast("View", reauthentication_required(app="allauth.mfa")(view))


def _url(params: QueryDict, **changes: str) -> str:
    """Answer the list's address with some of its parameters changed; an empty one goes."""
    query = params.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{reverse('accounts:users')}{'?' if query else ''}{query.urlencode()}"


def _grantable() -> list[queries.RoleRow]:
    who = actor.current()
    return [role for role in queries.list_roles() if all(who.can(name) for name in role.permissions)]


def _chips(request: HttpRequest, form: UserFilter) -> list[Chip]:
    chips = []
    for name, label in (("q", "“{}”"), ("role", "{}"), ("state", "{}")):
        value = request.GET.get(name, "").strip()
        if not value:
            continue
        known = dict(getattr(form.fields[name], "choices", []))
        unknown = bool(known) and value not in known
        chips.append(
            Chip(label.format(known.get(value, value)), _url(request.GET, **{name: "", "from": ""}), unknown=unknown)
        )
    return chips


def _seats() -> tuple[int | None, bool]:
    limit = entitlements.current().limit("users")
    return limit, limit is None or queries.seats_taken() < limit


# --- Users ----------------------------------------------------------------------------------------------------------
@require("users:read")
def users(request: HttpRequest) -> HttpResponse:
    """Show who works here, and as what."""
    form = UserFilter(request.GET, roles=queries.list_roles())
    form.is_valid()
    found = queries.users_matching(
        text=form.cleaned_data.get("q", ""),
        role=form.cleaned_data.get("role", ""),
        state=form.cleaned_data.get("state", ""),
    )
    start = request.GET.get("from", "")
    first = int(start) if start.isdecimal() and len(start) <= MAX_DIGITS else 0
    rows, total = queries.list_users(found, first=first, count=PAGE)
    more = first + PAGE < total
    limit, has_seat = _seats()
    context = {
        "users": rows,
        "me": actor.current().id,
        "form": form,
        "chips": _chips(request, form),
        "page": Page(
            first=first + 1 if rows else 0,
            last=first + len(rows),
            total=total,
            previous_url=_url(request.GET, **{"from": str(max(0, first - PAGE) or "")}) if first else "",
            next_url=_url(request.GET, **{"from": str(first + PAGE)}) if more else "",
        ),
        "is_paged": first > 0 or more,
        "limit": limit,
        "has_seat": has_seat,
    }
    return render(request, "accounts/users.html", context, partial="rows")


@require("users:read")
def user(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show a colleague: roles, sign-ins, state."""
    return _user_page(request, user_id)


def _user_page(request: HttpRequest, user_id: UUID, form: UserRolesForm | None = None) -> HttpResponse:
    who = actor.current()
    row = queries.get_user(user_id)
    is_me = who.id == str(row.id)
    beyond = [name for name in sorted(row.permissions) if not who.can(name)]
    may_change = who.can("users:write") and (is_me or not beyond)
    grantable = _grantable() if may_change else []
    # What he has already stays a choice, also where who acts couldn't give it anew.
    choices = [role for role in queries.list_roles() if role in grantable or role.id in {r.id for r in row.roles}]
    sessions = queries.sessions_of(
        user_id=row.id, now=timezone.now(), present_key=request.session.session_key if is_me else None
    )
    context = {
        "person": row,
        "is_me": is_me,
        "may_change": may_change,
        "is_beyond": bool(beyond) and not is_me,
        "form": form or UserRolesForm(initial={"roles": [str(role.id) for role in row.roles]}, grantable=choices),
        "sessions": sessions if is_me or may_change else [],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form else HTTPStatus.OK
    return render(request, "accounts/user.html", context, status=status)


@require("users:write")
@require_POST
def user_roles(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a colleague exactly the roles that are ticked."""
    form = UserRolesForm(request.POST, grantable=queries.list_roles())
    if not form.is_valid():
        return _user_page(request, user_id, form)
    try:
        services.set_roles(
            user_id=user_id,
            roles=form.cleaned_data["roles"],
            now=timezone.now(),
            keep_session=request.session.session_key,
        )
    except Invalid as error:
        add_errors(form, error)
        return _user_page(request, user_id, form)
    return go_on(
        request, reverse("accounts:user", args=[user_id]), message="Roles changed.", undo=current_change_set_id()
    )


@require("users:write")
@require_POST
def user_deactivate(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Let a colleague in no more."""
    changed = services.deactivate_user(user_id=user_id, now=timezone.now())
    return go_on(
        request,
        reverse("accounts:user", args=[user_id]),
        message=f"{changed} deactivated and signed out.",
        undo=current_change_set_id(),
    )


@require("users:write")
@require_POST
def user_reactivate(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Let a colleague in again."""
    changed = services.reactivate_user(user_id=user_id)
    return go_on(
        request,
        reverse("accounts:user", args=[user_id]),
        message=f"{changed} reactivated.",
        undo=current_change_set_id(),
    )


@require("users:write")
def user_reset_second_factor(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Ask, and then take away a colleague's second factor that is lost."""
    row = queries.get_user(user_id)
    if request.method == "POST":
        return _reset_second_factor(request, row)
    context = {
        "title": f"Remove the second factor of {row.display_name}?",
        "text": "From then on the password alone is enough. Authenticator app, passkeys and recovery codes stop "
        "working, and all sessions end. Make sure that it is really them who ask.",
        "url": request.path,
        "action": "Remove second factor",
        "destructive": True,
        "back": reverse("accounts:user", args=[user_id]),
    }
    return _question(request, context)


@_proved
def _reset_second_factor(request: HttpRequest, row: queries.UserRow) -> HttpResponse:
    changed = services.reset_second_factor(user_id=row.id, now=timezone.now())
    return go_on(request, reverse("accounts:user", args=[row.id]), message=f"Second factor of {changed} removed.")


@require("users:write")
@require_POST
def user_sign_out(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Sign a colleague out everywhere."""
    services.end_other_sessions(user_id=user_id, now=timezone.now(), keep_session=request.session.session_key)
    return go_on(request, reverse("accounts:user", args=[user_id]), message="Signed out everywhere.")


def _question(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "accounts/question.html", context, partial="dialog")


# --- Invitations ----------------------------------------------------------------------------------------------------
@require("users:invite")
def invitations(request: HttpRequest) -> HttpResponse:
    """Show who is invited."""
    with_closed = request.GET.get("closed") == "1"
    rows = queries.list_invitations(now=timezone.now(), with_closed=with_closed, limit=CLOSED_SHOWN)
    limit, has_seat = _seats()
    context = {"invitations": rows, "with_closed": with_closed, "limit": limit, "has_seat": has_seat}
    return render(request, "accounts/invitations.html", context, partial="rows")


@require("users:invite")
def invite(request: HttpRequest) -> HttpResponse:
    """Ask whom to invite as what, and invite them."""
    limit, has_seat = _seats()
    form = InviteForm(request.POST or None, grantable=_grantable())
    if request.method == "POST" and form.is_valid():
        try:
            invitation = services.invite_user(
                email=form.cleaned_data["email"], roles=form.cleaned_data["roles"], now=timezone.now()
            )
        except Invalid as error:
            add_errors(form, error)
        else:
            return go_on(request, reverse("accounts:invitations"), message=f"Invitation to {invitation.email} sent.")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK
    context = {"form": form, "limit": limit, "has_seat": has_seat}
    return render(request, "accounts/invite.html", context, partial="dialog", status=status)


@require("users:invite")
@require_POST
def invitation_resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Mail an invitation again."""
    invitation = services.resend_invitation(invitation_id=invitation_id, now=timezone.now())
    return go_on(request, reverse("accounts:invitations"), message=f"Invitation to {invitation.email} sent again.")


@require("users:invite")
@require_POST
def invitation_revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    invitation = services.revoke_invitation(invitation_id=invitation_id, now=timezone.now())
    return go_on(
        request,
        reverse("accounts:invitations"),
        message=f"Invitation to {invitation.email} revoked.",
        undo=current_change_set_id(),
    )

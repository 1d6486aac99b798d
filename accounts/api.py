"""People over HTTP: signing in, oneself, users, invitations, roles."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.request import Request

from accounts import queries, serializers, services, tokens
from accounts import roles as catalogue
from accounts.errors import LastOwner, RoleInUse, SecondFactorRequired, SystemRole
from accounts.models import User
from common import actor, entitlements, workspace
from common.access import OPEN, SIGNED_IN
from common.api.identity import Credential, CredentialKind
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict, EditionRequired, NotAuthenticated, NotFound

_BACKEND = "accounts.backends.PeopleBackend"


def _user(request: Request) -> User:
    return cast("User", request.user)


def _session_key(request: Request) -> str | None:
    """Answer the key of the session that asks, which what it changes leaves alone."""
    return request._request.session.session_key if _credential(request).kind is CredentialKind.SESSION else None


def _credential(request: Request) -> Credential:
    return cast("Credential", request.auth)


def _is_central(request: HttpRequest) -> bool:
    """Tell whether the host serves all shops; cookies belong to a shop's own."""
    return getattr(request, "urlconf", None) == settings.API_URLCONF


class _DoorView(ApiView):
    """Signing in and out."""

    access = {"POST": OPEN}
    public_api = ()
    # Whoever knocks has nothing to show yet, and what he has may be over.
    authentication_classes = ()


class LoginView(_DoorView):
    @operation(
        "Sign in with a cookie",
        description="Answers 401 alike for an unknown address and a wrong password. Only on a shop's own host.",
        takes=serializers.LoginInput,
        answers=serializers.LoginOut,
        errors=(NotAuthenticated, SecondFactorRequired),
        example={"email": "owner@demo.example", "password": "brikonnect-demo"},
    )
    def post(self, request: Request) -> HttpResponse:
        if _is_central(request._request):
            raise NotFound("Cookies belong to a shop's own host. Here, ask for a token.")
        user = services.prove_identity(**self.body, now=timezone.now())
        request._request.session.flush()  # whoever signs in begins anew, the same user too
        auth.login(request._request, user, backend=_BACKEND)
        services.let_in(user=user, by="api")
        return self.answer({"user": user, "csrf_token": get_token(request._request)})


class LogoutView(ApiView):
    access = {"POST": SIGNED_IN}
    public_api = ()

    @operation("Sign out: end the session or the token's family that asks")
    def post(self, request: Request) -> HttpResponse:
        shown = _credential(request)
        if shown.kind is CredentialKind.SESSION:
            auth.logout(request._request)
        else:
            tokens.end_family(family_id=UUID(shown.id), user_id=_user(request).pk, now=timezone.now())
        return self.answer()


class TokenView(_DoorView):
    @operation(
        "Sign in with tokens",
        takes=serializers.TokenInput,
        answers=serializers.PairOut,
        errors=(NotAuthenticated, SecondFactorRequired),
        example={"email": "owner@demo.example", "password": "brikonnect-demo", "tenant": "demo"},
    )
    def post(self, _request: Request) -> HttpResponse:
        return self.answer(services.issue_tokens(**self.body, now=timezone.now()))


class TokenRefreshView(_DoorView):
    @operation(
        "Spend a refresh token for the next pair",
        description="A refresh token is good once. Shown again it ends its whole family: somebody has stolen it.",
        takes=serializers.RefreshInput,
        answers=serializers.PairOut,
        errors=(NotAuthenticated,),
    )
    def post(self, _request: Request) -> HttpResponse:
        return self.answer(tokens.rotate(**self.body, now=timezone.now()))


class TokenRevokeView(_DoorView):
    @operation(
        "End a refresh token's family, access tokens included",
        description="Answers alike whether or not there was something to end.",
        takes=serializers.RefreshInput,
    )
    def post(self, _request: Request) -> HttpResponse:
        tokens.revoke(**self.body, now=timezone.now())
        return self.answer()


class MeView(ApiView):
    """Oneself."""

    access = {"GET": SIGNED_IN, "PATCH": SIGNED_IN}
    public_api = ()

    @operation("Tell who asks and what they may do", answers=serializers.MeOut)
    def get(self, request: Request) -> HttpResponse:
        return self.answer(self._me(request, _user(request)))

    @operation("Change one's name, theme or preferences", takes=serializers.MeInput, answers=serializers.MeOut)
    def patch(self, request: Request) -> HttpResponse:
        return self.answer(self._me(request, services.update_profile(user_id=_user(request).pk, **self.body)))

    def _me(self, request: Request, user: User) -> dict[str, Any]:
        flags = getattr(settings, "FEATURES", None)
        return {
            "user": user,
            "roles": queries.role_names(user.roles.all()),
            "permissions": catalogue.in_order(actor.current().permissions),
            "tenant": workspace.current(),
            "edition": entitlements.current().edition(),
            "features": flags.enabled() if flags else {},
        }


class SessionsView(ApiView):
    """What one is signed in with."""

    access = {"GET": SIGNED_IN}
    public_api = ()

    @operation("List one's own sessions and devices", answers=serializers.SessionOut, many=True)
    def get(self, request: Request) -> HttpResponse:
        return self.answer(
            queries.sessions_of(
                user_id=_user(request).pk,
                now=timezone.now(),
                present_key=_session_key(request),
                present_id=_credential(request).id,
            )
        )


class SessionView(ApiView):
    access = {"DELETE": SIGNED_IN}
    public_api = ()

    @operation("Sign a session or device out")
    def delete(self, _request: Request, session_id: UUID) -> HttpResponse:
        services.end_session(public_id=session_id, now=timezone.now())
        return self.answer()


class UsersView(ApiView):
    """The people of the shop."""

    access = {"GET": "users:read", "POST": "users:write"}

    @operation(
        "List users",
        answers=serializers.UserOut,
        query=serializers.UserQuery,
        ordering=("display_name", "email", "created_at"),
    )
    def get(self, _request: Request) -> HttpResponse:
        wanted = self.query_filters
        state = {True: "active", False: "inactive", None: ""}[wanted.get("is_active")]
        users = queries.users_matching(text=wanted.get("search", ""), role=wanted.get("role", ""), state=state)
        return self.page(users, as_rows=queries.rows_of)

    @operation(
        "Add a user",
        takes=serializers.UserInput,
        answers=serializers.UserOut,
        status=201,
        errors=(EditionRequired,),
        example={"email": "ana@demo.example", "display_name": "Ana", "roles": ["picker"]},
    )
    def post(self, _request: Request) -> HttpResponse:
        user = services.create_user(**self.body)
        return self.answer(queries.get_user(user.pk), location=reverse("api:user", args=[user.pk]))


class UserView(ApiView):
    access = {"GET": "users:read", "PATCH": "users:write", "DELETE": "users:write"}

    @operation("Show a user", answers=serializers.UserOut)
    def get(self, _request: Request, user_id: UUID) -> HttpResponse:
        return self.answer(queries.get_user(user_id))

    @operation(
        "Rename a user, or let them in or out",
        takes=serializers.UserPatch,
        answers=serializers.UserOut,
        errors=(LastOwner, Conflict, EditionRequired),
    )
    def patch(self, _request: Request, user_id: UUID) -> HttpResponse:
        services.update_user(user_id=user_id, **self.body, now=timezone.now())
        return self.answer(queries.get_user(user_id))

    @operation(
        "Deactivate a user",
        description="Their sessions and tokens end at once; the history keeps their name.",
        errors=(LastOwner, Conflict),
    )
    def delete(self, _request: Request, user_id: UUID) -> HttpResponse:
        services.deactivate_user(user_id=user_id, now=timezone.now())
        return self.answer()


class UserRolesView(ApiView):
    access = {"POST": "users:write"}

    @operation(
        "Give a user exactly these roles",
        description="Nobody can give what they don't have. The user's sessions and tokens end.",
        takes=serializers.RolesInput,
        answers=serializers.UserOut,
        errors=(LastOwner,),
        example={"roles": ["staff", "picker"]},
    )
    def post(self, request: Request, user_id: UUID) -> HttpResponse:
        services.set_roles(user_id=user_id, **self.body, now=timezone.now(), keep_session=_session_key(request))
        return self.answer(queries.get_user(user_id))


class InvitationsView(ApiView):
    """Open doors for newcomers."""

    access = {"GET": "users:invite", "POST": "users:invite"}

    @operation(
        "List invitations",
        answers=serializers.InvitationOut,
        query=serializers.InvitationQuery,
        ordering=("-created_at", "email", "expires_at"),
    )
    def get(self, _request: Request) -> HttpResponse:
        now = timezone.now()
        return self.page(
            queries.invitations(**self.query_filters),
            as_rows=lambda rows: [queries.invitation_row(row, now=now) for row in rows],
        )

    @operation(
        "Invite somebody",
        takes=serializers.InvitationInput,
        answers=serializers.InvitationOut,
        status=201,
        errors=(EditionRequired,),
        example={"email": "ben@demo.example", "roles": ["picker"]},
    )
    def post(self, _request: Request) -> HttpResponse:
        now = timezone.now()
        made = services.invite_user(**self.body, now=now)
        return self.answer(queries.invitation_row(made, now=now), location=reverse("api:invitation", args=[made.pk]))


class InvitationView(ApiView):
    access = {"DELETE": "users:invite"}

    @operation("Take an invitation back", errors=(Conflict,))
    def delete(self, _request: Request, invitation_id: UUID) -> HttpResponse:
        services.revoke_invitation(invitation_id=invitation_id, now=timezone.now())
        return self.answer()


class RolesView(ApiView):
    """Named sets of permissions."""

    access = {"GET": "roles:manage", "POST": "roles:manage"}

    @operation("List roles", answers=serializers.RoleOut, many=True)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer(queries.list_roles())

    @operation(
        "Make a role",
        takes=serializers.RoleInput,
        answers=serializers.RoleOut,
        status=201,
        example={"name": "Packer", "permissions": ["orders:read", "shipping:read"]},
    )
    def post(self, _request: Request) -> HttpResponse:
        role = services.create_role(**self.body)
        return self.answer(queries.get_role(role.pk), location=reverse("api:role", args=[role.pk]))


class RoleView(ApiView):
    access = {"PATCH": "roles:manage", "DELETE": "roles:manage"}

    @operation(
        "Change a role of the shop's own",
        takes=serializers.RoleInput,
        answers=serializers.RoleOut,
        errors=(SystemRole,),
    )
    def patch(self, request: Request, role_id: UUID) -> HttpResponse:
        services.update_role(role_id=role_id, **self.body, now=timezone.now(), keep_session=_session_key(request))
        return self.answer(queries.get_role(role_id))

    @operation("Delete a role that nobody has", errors=(SystemRole, RoleInUse))
    def delete(self, _request: Request, role_id: UUID) -> HttpResponse:
        services.delete_role(role_id=role_id)
        return self.answer()


api_urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/token", TokenView.as_view(), name="token"),
    path("auth/token/refresh", TokenRefreshView.as_view(), name="token-refresh"),
    path("auth/token/revoke", TokenRevokeView.as_view(), name="token-revoke"),
    path("auth/me", MeView.as_view(), name="me"),
    path("auth/sessions", SessionsView.as_view(), name="sessions"),
    path("auth/sessions/<uuid:session_id>", SessionView.as_view(), name="session"),
    path("users", UsersView.as_view(), name="users"),
    path("users/invitations", InvitationsView.as_view(), name="invitations"),
    path("users/invitations/<uuid:invitation_id>", InvitationView.as_view(), name="invitation"),
    path("users/<uuid:user_id>", UserView.as_view(), name="user"),
    path("users/<uuid:user_id>/roles", UserRolesView.as_view(), name="user-roles"),
    path("roles", RolesView.as_view(), name="roles"),
    path("roles/<uuid:role_id>", RoleView.as_view(), name="role"),
]

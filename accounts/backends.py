"""Finds the user of a session or of an address and password, with his permissions in the same query."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, OuterRef

from accounts.models import Role, User


class PeopleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """allauth's way in, with one query for who somebody is and what he may do."""

    def get_user(self, user_id: Any) -> User | None:
        """Answer the active user with `role_permissions`, or nobody."""
        granted = (
            Role.objects.filter(user_roles__user=OuterRef("pk"))
            .annotate(permission=Func(F("permissions"), function="unnest"))
            .values("permission")
        )
        user = User.objects.filter(pk=user_id).annotate(role_permissions=ArraySubquery(granted)).first()
        return user if user is not None and user.is_active else None

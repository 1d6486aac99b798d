"""Finds the user of a session, a token, or an address and password, with his permissions in the same query."""

from functools import cache
from typing import Any
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend
from django.db import connection

from accounts.models import RefreshToken, Role, User, UserRole

_FIELDS = User._meta.concrete_fields
_ACTIVE = """
SELECT {columns}, ARRAY(
  SELECT unnest(r.permissions) FROM {user_roles} ur JOIN {roles} r ON r.id = ur.role_id WHERE ur.user_id = u.id
)
FROM {users} u WHERE u.id = %(user_id)s AND u.is_active
"""
_OF_FAMILY = """
AND EXISTS (SELECT FROM {tokens} t WHERE t.family_id = %(family_id)s AND t.user_id = u.id AND t.revoked_at IS NULL)
"""


@cache
def _statement(template: str) -> str:
    """Answer a statement with the names of columns and tables."""
    return template.format(
        columns=", ".join(f'u."{field.column}"' for field in _FIELDS),
        users=User._meta.db_table,
        roles=Role._meta.db_table,
        user_roles=UserRole._meta.db_table,
        tokens=RefreshToken._meta.db_table,
    )


def _find(template: str, user_id: Any, **parameters: Any) -> User | None:
    """Answer the user with `role_permissions`. Every request asks; the ORM would compile the same query each time."""
    parameters["user_id"] = User._meta.pk.to_python(user_id)
    with connection.cursor() as cursor:
        cursor.execute(_statement(template), parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    *values, permissions = row
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(_FIELDS, values, strict=True)
    ]
    user = User.from_db(connection.alias, [field.attname for field in _FIELDS], read)
    user.role_permissions = permissions  # type: ignore[attr-defined]  # only where it was fetched along
    return user


class PeopleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """allauth's way in, with one query for who somebody is and what he may do."""

    def get_user(self, user_id: Any) -> User | None:
        """Answer the active user with `role_permissions`, or nobody."""
        return _find(_ACTIVE, user_id)


def user_of_family(*, user_id: UUID, family_id: UUID) -> User | None:
    """Answer the active user with `role_permissions` if that family of his tokens hasn't been ended, or nobody."""
    return _find(_ACTIVE + _OF_FAMILY, user_id, family_id=family_id)

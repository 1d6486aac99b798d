"""Users: made, changed, given roles, let go and taken back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import identify_hasher
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import roles as catalogue
from accounts.choices import PREFERENCES, Theme
from accounts.events import CredentialsChanged, UserCreated, UserDeactivated, UserReactivated, UserRolesChanged
from accounts.models import Key, Role, User, UserRole
from accounts.services import guards, sessions
from accounts.services.invitations import revoke_exceeding
from audit.context import describe
from common import actor
from common.errors import Conflict, Invalid, NotFound
from events.bus import publish

MAX_NAME = 120


def normalized(email: str) -> str:
    """Answer the address as it is stored; raises Invalid if it is none."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(errors={"/email": ["This isn't an e-mail address."]}) from None
    return address


def _named(display_name: str, *, fallback: str) -> str:
    name = " ".join(display_name.split()) or fallback.partition("@")[0]
    if len(name) > MAX_NAME:
        raise Invalid(errors={"/display_name": [f"A name has at most {MAX_NAME} characters."]})
    return name


@transaction.atomic
def create_user(
    *,
    email: str,
    display_name: str = "",
    roles: Sequence[object] = (),
    password: str | None = None,
    password_hash: str | None = None,
    is_verified: bool = False,
    is_staff: bool = False,
) -> User:
    """Make a user with roles (names or ids; our staff have none).

    `password_hash` is one that Django made. Without a password he sets one by a reset link. Raises Invalid for an
    address that is taken or none, NotFound for unknown roles, PermissionDenied for roles with more than who acts has,
    EditionRequired where the edition has no room.
    """
    describe("accounts.create_user")
    guards.lock_people()
    found = guards.get_roles(roles)
    if not found and not is_staff:
        raise Invalid(errors={"/roles": ["A user needs at least one role."]})
    guards.require_grantable(name for role in found for name in role.permissions)
    guards.require_seat()
    user = insert_user(
        email=email,
        display_name=display_name,
        roles=found,
        password=password,
        password_hash=password_hash,
        is_verified=is_verified,
        is_staff=is_staff,
    )
    publish(UserCreated(user_id=str(user.pk)))
    return user


def insert_user(
    *,
    email: str,
    display_name: str,
    roles: Sequence[Role],
    password: str | None,
    password_hash: str | None = None,
    is_verified: bool,
    is_staff: bool = False,
    user_id: UUID | None = None,
) -> User:
    """Write a user, his address and his roles, without asking who acts. Raises Invalid for an address that is taken."""
    address = normalized(email)
    if (
        User.objects.filter(email=address).exists()
        or EmailAddress.objects.filter(email=address, verified=True).exists()
    ):
        raise Invalid(errors={"/email": ["Somebody with this address is here already."]})
    user = User(email=address, display_name=_named(display_name, fallback=address), is_staff=is_staff)
    if user_id:
        user.pk = user_id
    if password_hash:
        identify_hasher(password_hash)
        user.password = password_hash
    else:
        user.set_password(password)
    user.save()
    EmailAddress.objects.create(user=user, email=address, verified=is_verified, primary=True)
    for role in roles:
        UserRole.objects.create(user=user, role=role)
    return user


@transaction.atomic
def update_profile(
    *,
    user_id: Key,
    display_name: str | None = None,
    theme: str | None = None,
    preferences: Mapping[str, Any] | None = None,
) -> User:
    """Change how a user is called and how the pages look to him; what is None stays. Raises Invalid."""
    describe("accounts.update_profile")
    user = guards.get_user(user_id, lock=True)
    if str(user.pk) != actor.current().id:
        guards.require_over(user)
    if display_name is not None:
        if not display_name.strip():
            raise Invalid(errors={"/display_name": ["A name is needed."]})
        user.display_name = _named(display_name, fallback=user.email)
    if theme is not None:
        if theme not in Theme.values:
            raise Invalid(errors={"/theme": [f"Choose one of {', '.join(Theme.values)}."]})
        user.theme = theme
    if preferences:
        user.preferences = {**user.preferences, **_checked(preferences)}
    user.save(update_fields=["display_name", "theme", "preferences", "updated_at"])
    return user


def _checked(preferences: Mapping[str, Any]) -> dict[str, Any]:
    errors = {}
    for name, value in preferences.items():
        allowed = PREFERENCES.get(name)
        if allowed is None:
            errors[f"/preferences/{name}"] = ["There is no such preference."]
        elif not any(value is choice or (isinstance(value, str) and value == choice) for choice in allowed):
            words = ", ".join(str(choice).lower() for choice in allowed)
            errors[f"/preferences/{name}"] = [f"Choose one of {words}."]
    if errors:
        raise Invalid(errors=errors)
    return dict(preferences)


def update_preferences(*, user_id: Key, changes: Mapping[str, Any]) -> User:
    """Change some of a user's preferences (accounts.choices.PREFERENCES); the others stay. Raises Invalid."""
    return update_profile(user_id=user_id, preferences=changes)


def change_theme(*, user_id: Key, theme: str) -> User:
    """Choose light, dark or the device's theme. Raises Invalid."""
    return update_profile(user_id=user_id, theme=theme)


@transaction.atomic
def set_roles(*, user_id: Key, roles: Sequence[object], now: datetime, keep_session: str | None = None) -> User:
    """Give a user exactly these roles (names or ids). His sessions and tokens end, but for `keep_session`.

    Raises PermissionDenied if who acts lacks something that the user has or would get, LastOwner, Invalid for no role.
    """
    describe("accounts.set_roles")
    guards.lock_people()
    user = guards.get_user(user_id, lock=True)
    wanted = guards.get_roles(roles)
    if not wanted:
        raise Invalid(errors={"/roles": ["A user needs at least one role."]})
    guards.require_over(user)
    present = {link.role_id: link for link in user.user_roles.select_related("role")}
    added = [role for role in wanted if role.pk not in present]
    removed = [link for role_id, link in present.items() if role_id not in {role.pk for role in wanted}]
    guards.require_grantable(name for role in added for name in role.permissions)
    if any(link.role.name == catalogue.OWNER and link.role.is_system for link in removed) and user.is_active:
        guards.require_other_owner(user)
    if not added and not removed:
        return user
    for role in added:
        UserRole.objects.create(user=user, role=role)
    for link in removed:
        link.delete()
    _end_credentials(user, now=now, keep_session=keep_session)
    revoke_exceeding(user, now=now)
    _publish_roles(user)
    return user


@transaction.atomic
def deactivate_user(*, user_id: Key, now: datetime) -> User:
    """Let a user in no more: sessions and tokens end, invitations are taken back, his name stays in the history.

    Raises PermissionDenied if he may do more than who acts, LastOwner, Conflict for oneself.
    """
    describe("accounts.deactivate_user")
    guards.lock_people()
    user = guards.get_user(user_id, lock=True)
    if str(user.pk) == actor.current().id:
        raise Conflict("You can't deactivate yourself. Ask a colleague to do it.")
    guards.require_over(user)
    if not user.is_active:
        return user
    if user.roles.filter(name=catalogue.OWNER, is_system=True).exists():
        guards.require_other_owner(user)
    user.is_active = False
    _end_credentials(user, now=now)
    revoke_exceeding(user, now=now)
    publish(UserDeactivated(user_id=str(user.pk)))
    return user


@transaction.atomic
def update_user(*, user_id: Key, display_name: str | None = None, is_active: bool | None = None, now: datetime) -> User:
    """Rename a user, or let him in or out; what is None stays. Raises what deactivating and reactivating raise."""
    user = guards.get_user(user_id)
    if display_name is not None:
        user = update_profile(user_id=user_id, display_name=display_name)
    if is_active is not None:
        user = reactivate_user(user_id=user_id) if is_active else deactivate_user(user_id=user_id, now=now)
    return user


@transaction.atomic
def reactivate_user(*, user_id: Key) -> User:
    """Let a user in again, with the roles that he had. Raises PermissionDenied, EditionRequired."""
    describe("accounts.reactivate_user")
    guards.lock_people()
    user = guards.get_user(user_id, lock=True)
    guards.require_over(user)
    if user.is_active:
        return user
    guards.require_seat()
    user.is_active = True
    user.save(update_fields=["is_active", "updated_at"])
    publish(UserReactivated(user_id=str(user.pk)))
    return user


@transaction.atomic
def change_password(*, user: User, password: str, now: datetime, keep_session: str | None = None) -> User:
    """Set a new password, which the caller's form checked. Sessions, tokens and reset links end, but `keep_session`."""
    describe("accounts.change_password")
    present = guards.get_user(user.pk, lock=True)
    present.set_password(password)
    _end_credentials(present, now=now, keep_session=keep_session)
    # The caller's copy goes on into the session, which is bound to the new hash.
    user.password, user.credentials_changed_at = present.password, present.credentials_changed_at
    return user


@transaction.atomic
def restore_user(*, user_id: Key, now: datetime, **values: Any) -> User:
    """Put back what a change did to a user: `display_name`, `theme`, `preferences` (as a whole), `is_active`."""
    describe("accounts.restore_user")
    user = guards.get_user(user_id, lock=True)
    if str(user.pk) != actor.current().id:
        guards.require_over(user)
    if "preferences" in values:
        user.preferences = _checked(values["preferences"])
        user.save(update_fields=["preferences", "updated_at"])
    user = update_profile(user_id=user_id, display_name=values.get("display_name"), theme=values.get("theme"))
    if "is_active" in values:
        user = reactivate_user(user_id=user_id) if values["is_active"] else deactivate_user(user_id=user_id, now=now)
    return user


@transaction.atomic
def add_role(*, user_id: Key, role_id: Key, now: datetime, link_id: UUID | None = None) -> User:
    """Give a user one role more. `link_id`: when it is put back. Raises what set_roles raises."""
    describe("accounts.set_roles")
    guards.lock_people()
    user = guards.get_user(user_id, lock=True)
    role = guards.get_roles([role_id])[0]
    guards.require_over(user)
    guards.require_grantable(role.permissions)
    if not user.user_roles.filter(role=role).exists():
        UserRole.objects.create(user=user, role=role, **({"id": link_id} if link_id else {}))
        _end_credentials(user, now=now)
        _publish_roles(user)
    return user


@transaction.atomic
def remove_role(*, link_id: Key, now: datetime) -> User:
    """Take one role from a user. Raises NotFound, and what set_roles raises."""
    describe("accounts.set_roles")
    guards.lock_people()
    link = UserRole.objects.select_related("role").filter(pk=link_id).first()
    if link is None:
        raise NotFound
    user = guards.get_user(link.user_id, lock=True)
    guards.require_over(user)
    if link.role.name == catalogue.OWNER and link.role.is_system and user.is_active:
        guards.require_other_owner(user)
    link.delete()
    _end_credentials(user, now=now)
    revoke_exceeding(user, now=now)
    _publish_roles(user)
    return user


def _publish_roles(user: User) -> None:
    names = tuple(user.roles.order_by("name").values_list("name", flat=True))
    publish(UserRolesChanged(user_id=str(user.pk), roles=names))


def _end_credentials(user: User, *, now: datetime, keep_session: str | None = None) -> None:
    """Save what changed about who the user is or what he may do, and end what was issued to him before."""
    user.credentials_changed_at = now
    user.save(update_fields=["password", "is_active", "credentials_changed_at", "updated_at"])
    sessions.end_credentials(user=user, now=now, keep_session=keep_session)
    publish(CredentialsChanged(user_id=str(user.pk)))


def record_sign_in(*, user: User, now: datetime | None = None) -> None:
    """Note when the user last signed in; this is no change that a history would keep."""
    user.last_login = now or timezone.now()
    user.save(update_fields=["last_login"])

"""What holds for every change of who may do what: nobody gives or takes more than he has, and an owner remains."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts import queries, roles
from accounts.errors import LastOwner
from accounts.models import Key, Role, User
from common import actor, entitlements
from common.errors import EditionRequired, NotFound, PermissionDenied


def lock_people() -> None:
    """Let one change of users, roles or invitations pass at a time: the owner role's row is the shop's turnstile."""
    Role.objects.select_for_update(no_key=True).get(name=roles.OWNER, is_system=True)


def lacking(permissions: Iterable[str]) -> list[str]:
    """Answer which of the permissions the acting identity doesn't have, or has no more: he is looked at again, since
    somebody may have changed his roles after the request began."""
    who, wanted = actor.current(), roles.in_order(permissions)
    if not wanted or who.kind is not actor.ActorKind.USER:
        return [name for name in wanted if not who.can(name)]
    today = actor.find(who.kind, who.id) if who.id else None
    return [name for name in wanted if today is None or not (who.can(name) and today.can(name))]


def require_grantable(permissions: Iterable[str]) -> None:
    """Pass if who acts has all of the permissions, else raise PermissionDenied that names the first missing one."""
    if missing := lacking(permissions):
        raise PermissionDenied(
            f"You can't give what you don't have: {', '.join(missing)}.", permission=missing[0], permissions=missing
        )


def require_over(user: User) -> None:
    """Pass if who acts has everything that the user has, or is that user; else raise PermissionDenied."""
    if str(user.pk) == actor.current().id:
        return
    if missing := lacking(name for role in user.roles.all() for name in role.permissions):
        raise PermissionDenied(
            f"{user} may do more than you: {', '.join(missing)}.", permission=missing[0], permissions=missing
        )


def require_other_owner(user: User) -> None:
    """Pass if somebody else is an owner who can sign in, else raise LastOwner. Call it after lock_people."""
    if not queries.active_owners().exclude(pk=user.pk).exists():
        raise LastOwner


def require_seat(*, besides: UUID | None = None) -> None:
    """Pass if the edition has room for one more user; open invitations but `besides` take a seat, too."""
    limit = entitlements.current().limit("users")
    if limit is not None and queries.seats_taken(besides=besides) >= limit:
        noun = "one user" if limit == 1 else f"{limit} users"
        raise EditionRequired(f"Your edition includes {noun}.", feature="users", edition="full")


def get_user(user_id: Key, *, lock: bool = False) -> User:
    """Answer the user; raises NotFound."""
    found = User.objects.select_for_update(no_key=True) if lock else User.objects
    try:
        return found.get(pk=user_id)
    except User.DoesNotExist:
        raise NotFound from None


def get_roles(names_or_ids: Sequence[object]) -> list[Role]:
    """Answer the roles by name or id, each once; raises NotFound if one isn't there.

    An id is an id, also where somebody called another role by it.
    """
    present = list(Role.objects.order_by("name"))
    known = {role.name: role for role in present} | {str(role.pk): role for role in present}
    try:
        wanted = {known[str(value)].pk for value in names_or_ids}
    except KeyError:
        raise NotFound("There is no such role.") from None
    return [role for role in present if role.pk in wanted]

"""How people, roles and invitations are put back: through the services, so that nobody gains by an undo."""

from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import Invitation, InvitationRole, Role, User, UserRole
from audit import reverters
from audit.reverters import Objection, Patch, Reverter
from common import actor
from common.errors import Conflict


class UserReverter(Reverter):
    """Puts back names, themes, preferences, and whether somebody may sign in."""

    follows = frozenset({"credentials_changed_at"})
    keeps = {
        "email": "An address is changed by its owner, who proves that it is theirs.",
        "second_factors": "A second factor is set up by its owner.",
        "is_staff": "Our staff are named by command.",
        "is_superuser": "Our staff are named by command.",
        "locale": "There is one language.",
    }

    def permission(self, patch: Patch) -> str | None:
        is_own = str(patch.id) == actor.current().id
        return None if is_own and "is_active" not in patch.values else "users:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is reverters.Way.REMOVE:
            return Objection(
                "Users stay for good, since the history names them.",
                counter_action="Deactivate user",
                url=reverse("accounts:user", args=[patch.id]),
            )
        return None

    def remove(self, patch: Patch) -> None:
        services.deactivate_user(user_id=patch.id, now=timezone.now())

    def restore(self, patch: Patch) -> None:
        services.restore_user(user_id=patch.id, now=timezone.now(), **patch.values)


class UserRoleReverter(Reverter):
    """Gives a role back, or takes it away again."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "users:write"

    def recreate(self, patch: Patch) -> None:
        services.add_role(
            user_id=patch.values["user_id"], role_id=patch.values["role_id"], now=timezone.now(), link_id=patch.id
        )

    def remove(self, patch: Patch) -> None:
        services.remove_role(link_id=patch.id, now=timezone.now())


class RoleReverter(Reverter):
    """Puts back a shop's own roles."""

    keeps = {"is_system": "System roles stay as they are."}

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "roles:manage"

    def restore(self, patch: Patch) -> None:
        services.update_role(role_id=patch.id, now=timezone.now(), **patch.values)

    def recreate(self, patch: Patch) -> None:
        services.create_role(name=patch.values["name"], permissions=patch.values["permissions"], role_id=patch.id)

    def remove(self, patch: Patch) -> None:
        services.delete_role(role_id=patch.id)


class InvitationReverter(Reverter):
    """Opens a revoked invitation again. A sent one has left the house."""

    follows = frozenset({"expires_at", "sent_count"})
    keeps = {"accepted_at": "Who has joined stays.", "email": "The mail went there.", "invited_by_id": "They sent it."}

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "users:invite"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is reverters.Way.REMOVE:
            return Objection(
                "The mail has left the house.", counter_action="Revoke invitation", url=reverse("accounts:invitations")
            )
        return None

    def remove(self, patch: Patch) -> None:
        services.revoke_invitation(invitation_id=patch.id, now=timezone.now())

    def restore(self, patch: Patch) -> None:
        services.restore_invitation(invitation_id=patch.id, now=timezone.now(), revoked_at=patch.values["revoked_at"])


class InvitationRoleReverter(Reverter):
    """An invitation's roles don't change: it is revoked and another one sent."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "users:invite"

    def objection(self, patch: Patch) -> Objection | None:  # the same for every patch
        return Objection(
            "The mail has left the house.", counter_action="Revoke invitation", url=reverse("accounts:invitations")
        )

    def remove(self, patch: Patch) -> None:
        raise Conflict("The mail has left the house.")

    def recreate(self, patch: Patch) -> None:
        raise Conflict("The mail has left the house.")


def register() -> None:
    """Tell audit how this app's rows are put back."""
    reverters.register(User, UserReverter())
    reverters.register(UserRole, UserRoleReverter())
    reverters.register(Role, RoleReverter())
    reverters.register(Invitation, InvitationReverter())
    reverters.register(InvitationRole, InvitationRoleReverter())

"""How the audit log calls people's entities and deeds."""

from django.urls import reverse

from accounts.models import Invitation, InvitationRole, Role, User, UserRole
from accounts.roles import SYSTEM_LABELS
from audit import labels

_ACTIONS = {
    "accounts.accept_invitation": "Joined",
    "accounts.activate_authenticator_app": "Turned the authenticator app on",
    "accounts.add_passkey": "Added a passkey",
    "accounts.change_password": "Changed the password",
    "accounts.create_recovery_codes": "Made recovery codes",
    "accounts.create_role": "Added a role",
    "accounts.create_user": "Added a user",
    "accounts.deactivate_authenticator_app": "Turned the authenticator app off",
    "accounts.deactivate_user": "Deactivated a user",
    "accounts.delete_role": "Deleted a role",
    "accounts.invite_user": "Invited a user",
    "accounts.reactivate_user": "Reactivated a user",
    "accounts.remove_passkey": "Removed a passkey",
    "accounts.rename_passkey": "Renamed a passkey",
    "accounts.resend_invitation": "Sent an invitation again",
    "accounts.reset_second_factor": "Removed a user's second factor",
    "accounts.revoke_invitation": "Revoked an invitation",
    "accounts.set_roles": "Changed a user's roles",
    "accounts.update_profile": "Changed the profile",
    "accounts.update_role": "Changed a role",
}


def _role_name(values: labels.Values) -> str:
    name = str(values["name"])
    return SYSTEM_LABELS.get(name, name) if values.get("is_system") else name


def register() -> None:
    """Tell audit the words."""
    labels.describe(User, name="user", url=lambda key: reverse("accounts:user", args=[key]))
    labels.describe(Role, name="role", label=_role_name, url=lambda key: reverse("accounts:role", args=[key]))
    labels.describe(UserRole, name="role of a user", plural="roles of users")
    labels.describe(Invitation, name="invitation", url=lambda _key: reverse("accounts:invitations"))
    labels.describe(InvitationRole, name="role of an invitation", plural="roles of invitations")
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)

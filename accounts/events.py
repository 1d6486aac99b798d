"""What can have happened to people. Payloads name users by id; addresses, links and secrets stay in the tables."""

from dataclasses import dataclass

from events.schemas import Payload, event


@dataclass(frozen=True, slots=True)
class AboutUser(Payload):
    """What has happened to one user."""

    user_id: str

    @property
    def entity_key(self) -> str:
        """Events of a user are told in their order."""
        return f"user:{self.user_id}"


@event("user.created", public=False)
@dataclass(frozen=True, slots=True)
class UserCreated(AboutUser):
    """Somebody was entered by a colleague or by sign-up, not by an invitation."""


@event("user.joined", public=False)
@dataclass(frozen=True, slots=True)
class UserJoined(AboutUser):
    """Somebody accepted an invitation."""

    invitation_id: str


@event("user.deactivated", public=False)
@dataclass(frozen=True, slots=True)
class UserDeactivated(AboutUser):
    """Somebody may sign in no more."""


@event("user.reactivated", public=False)
@dataclass(frozen=True, slots=True)
class UserReactivated(AboutUser):
    """Somebody may sign in again."""


@event("user.roles_changed", public=False)
@dataclass(frozen=True, slots=True)
class UserRolesChanged(AboutUser):
    """Somebody may do something else than before; `roles` are the names of all that he has now."""

    roles: tuple[str, ...]


@event("user.credentials_changed", public=False)
@dataclass(frozen=True, slots=True)
class CredentialsChanged(AboutUser):
    """Whatever was issued to the user before is no longer good: his password, roles or activity changed."""


@event("user.password_reset_requested", public=False)
@dataclass(frozen=True, slots=True)
class PasswordResetRequested(Payload):
    """Somebody asked for a reset link. Without a user the address was unknown: published all the same, so that nobody
    can tell the difference by the time it takes."""

    user_id: str


@event("user.invited", public=False)
@dataclass(frozen=True, slots=True)
class UserInvited(Payload):
    """An invitation was made, or is to be sent again; `sending` counts that, so that each is mailed once."""

    invitation_id: str
    sending: str

    @property
    def entity_key(self) -> str:
        """Events of an invitation are told in their order."""
        return f"invitation:{self.invitation_id}"


@event("role.changed", public=False)
@dataclass(frozen=True, slots=True)
class RoleChanged(Payload):
    """A role was made or deleted, or has another name or other permissions."""

    role_id: str
    user_ids: tuple[str, ...]

    @property
    def entity_key(self) -> str:
        """Events of a role are told in their order."""
        return f"role:{self.role_id}"

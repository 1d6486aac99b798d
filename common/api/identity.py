"""What an authentication answers as `request.auth`: the actor, whichever way it showed who it is."""

from dataclasses import dataclass
from enum import StrEnum

from common.actor import Actor


class CredentialKind(StrEnum):
    """The ways to show who one is."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # the name of a kind, not a secret
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Credential:
    """An identity that was shown and accepted. `id` names the session, token or key, never its secret."""

    kind: CredentialKind
    actor: Actor
    id: str

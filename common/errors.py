"""Anticipated errors: one class each, turned into problem+json or an error page by one middleware and one handler."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ProblemError(Exception):
    """An error that says what happened and what to do (RFC 9457). `extra` joins the problem's members."""

    type: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", *, status: int | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra = extra
        self.status_code = status or self.status

    @property
    def headers(self) -> dict[str, str]:
        """Answer the response headers that belong to the error."""
        retry_after = self.extra.get("retry_after")
        return {} if retry_after is None else {"Retry-After": str(max(1, int(retry_after)))}


class BadRequest(ProblemError):
    """The request can't be read: malformed JSON, a garbage cursor, invalid UTF-8."""

    type = "bad-request"
    title = "The request can't be read"
    status = 400


class Invalid(ProblemError):
    """Values that can't be taken. `errors` maps JSON pointers (`/lines/0/qty`) to messages; `""` is the whole."""

    type = "invalid"
    title = "Some values are not valid"
    status = 422

    def __init__(self, detail: str = "", *, errors: Mapping[str, Sequence[str]] | None = None, **extra: Any) -> None:
        super().__init__(detail, errors={key: list(value) for key, value in (errors or {}).items()}, **extra)

    @property
    def errors(self) -> dict[str, list[str]]:
        """Answer the messages by JSON pointer."""
        found: dict[str, list[str]] = self.extra["errors"]
        return found


class NotAuthenticated(ProblemError):
    """Nobody is signed in, or the credential is no longer good."""

    type = "not-authenticated"
    title = "Sign in first"
    status = 401


class PermissionDenied(ProblemError):
    """The actor lacks a permission, which the problem names as `permission`."""

    type = "permission-denied"
    title = "You don't have the permission for this"
    status = 403


class ReauthenticationRequired(PermissionDenied):
    """The deed is sensitive and the sign-in too long ago: the password or second factor is asked for again."""

    type = "reauthentication-required"
    title = "Confirm that it's you"


class EditionRequired(ProblemError):
    """The tenant's edition lacks a feature, named as `feature`; `edition` is the one that has it."""

    type = "edition-required"
    title = "Your edition doesn't include this"
    status = 403


class PaymentRequired(ProblemError):
    """The account is suspended over an invoice, named as `invoice`."""

    type = "payment-required"
    title = "The account is suspended"
    status = 402


class NotFound(ProblemError):
    """There is no such thing, or it belongs to another tenant, which is the same."""

    type = "not-found"
    title = "There is nothing here"
    status = 404


class MethodNotAllowed(ProblemError):
    """The address exists, the method doesn't; `allowed` lists those that do."""

    type = "method-not-allowed"
    title = "This address doesn't take that method"
    status = 405

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.extra.get("allowed", ()))}


class NotAcceptable(ProblemError):
    """The client takes none of the types that we answer."""

    type = "not-acceptable"
    title = "We can't answer in that form"
    status = 406


class UnsupportedMediaType(ProblemError):
    """The body is of a type or an encoding that we don't read here."""

    type = "unsupported-media-type"
    title = "The body is of a type that isn't read here"
    status = 415


class Gone(ProblemError):
    """It was here, and was taken away: an expired export, a used link."""

    type = "gone"
    title = "This is no longer here"
    status = 410


class Conflict(ProblemError):
    """The present state doesn't allow it; the extra members say what is there now or what is allowed."""

    type = "conflict"
    title = "That doesn't fit the present state"
    status = 409


class StaleVersion(Conflict):
    """Somebody else changed it meanwhile; `current_version` is what is there now."""

    type = "stale-version"
    title = "Somebody else changed this meanwhile"


class IllegalTransition(Conflict):
    """The status can't change that way; `allowed` lists the ways that are open."""

    type = "illegal-transition"
    title = "The status can't change that way"


class PreconditionRequired(ProblemError):
    """A versioned resource was to be changed without naming the version seen."""

    type = "precondition-required"
    title = "Say which version you change"
    status = 428


class TooLarge(ProblemError):
    """The body exceeds the limit, named as `limit_bytes`."""

    type = "too-large"
    title = "The request is too large"
    status = 413


class RateLimited(ProblemError):
    """Too many requests; `retry_after` seconds until the next is taken."""

    type = "rate-limited"
    title = "Too many requests"
    status = 429


class Unavailable(ProblemError):
    """A service of ours is away for the moment; `retry_after` in seconds."""

    type = "unavailable"
    title = "This is not available for the moment"
    status = 503


class BudgetExhausted(RateLimited):
    """We may not ask the other side so often; `retry_after` seconds until we may again."""

    type = "budget-exhausted"
    title = "The calls that are allowed there are used up"


class ProviderError(ProblemError):
    """Somebody else's service didn't do what was asked: `provider` and `operation` say whose, `answer` what it said.

    The answer is redacted and short.
    """

    type = "provider-error"
    title = "The other side didn't do it"
    status = 502


class ProviderRejected(ProviderError):
    """It doesn't take the data; sending them again changes nothing. `field` names the culprit where it is known."""

    type = "provider-rejected"
    title = "The other side doesn't take this"


class CredentialsRefused(ProviderError):
    """It doesn't take the credentials (any more): nothing is sent until somebody has renewed them."""

    type = "credentials-refused"
    title = "The other side refuses the credentials"


class ProviderUnavailable(ProviderError):
    """It is away, too slow, too busy, or answers garbage; `retry_after` in seconds, where it says so."""

    type = "provider-unavailable"
    title = "The other side is not available for the moment"
    status = 503


class OutcomeUnknown(ProviderError):
    """It was sent and no answer came: it may have been done. Look before repeating."""

    type = "outcome-unknown"
    title = "It isn't known whether the other side did it"

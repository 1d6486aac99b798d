"""The mails that we send: what each is called, which variables its template has, and which must not be kept."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that a template may use."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class EmailKind:
    """A mail's template. `holds_secret`: its words open a door, so they are forgotten once it is sent."""

    key: str
    variables: tuple[Variable, ...]
    holds_secret: bool = False

    @property
    def example(self) -> dict[str, str]:
        """Answer a context that fills the whole template."""
        return {variable.name: variable.example for variable in self.variables}


_USER_NAME = Variable("user_name", "The name of who gets the mail", "Ana Silva")
_TENANT_NAME = Variable("tenant_name", "The name of the shop", "Demo Bricks")
_EXPIRES_IN = Variable("expires_in", "For how long it is good", "15 minutes")
_CODE = Variable("code", "The code to type in", "F4K2-9QXD")
_NOTICE = (
    Variable("occurred_at", "When it happened, in the shop's time zone", "12 Mar 2026 14:02 Europe/Lisbon"),
    Variable("ip_address", "Where it came from", "203.0.113.7"),
    Variable("user_agent", "The browser", "Firefox on Windows"),
)

_KINDS = (
    EmailKind("email_verification", (_USER_NAME, _CODE, _EXPIRES_IN), holds_secret=True),
    EmailKind(
        "password_reset",
        (_USER_NAME, Variable("reset_url", "The link", "https://demo.example.com/reset/…"), _EXPIRES_IN),
        holds_secret=True,
    ),
    EmailKind(
        "welcome", (_USER_NAME, _TENANT_NAME, Variable("login_url", "Where to sign in", "https://demo.example.com/"))
    ),
    EmailKind(
        "invitation",
        (
            _TENANT_NAME,
            Variable("inviter_name", "Who invites", "Marta Reis"),
            Variable("accept_url", "The link", "https://demo.example.com/join/…"),
            Variable("expires_on", "The last day of the invitation", "19 Mar 2026"),
        ),
        holds_secret=True,
    ),
    EmailKind("sign_up_code", (_USER_NAME, _TENANT_NAME, _CODE, _EXPIRES_IN), holds_secret=True),
    EmailKind(
        "tenant_deletion_requested",
        (
            _USER_NAME,
            _TENANT_NAME,
            Variable("requested_by", "Who asked for it", "Marta Reis"),
            Variable("delete_on", "The day of the deletion", "11 Apr 2026"),
            Variable("settings_url", "Where it can be taken back", "https://demo.example.com/settings/"),
        ),
    ),
    EmailKind("tenant_deleted", (_USER_NAME, _TENANT_NAME)),
    EmailKind(
        "oversold",
        (
            _USER_NAME,
            Variable("order_no", "The order's number on its channel", "24418822"),
            Variable("store_name", "The store that it came from", "Bricks on BrickLink"),
            Variable("lines", "What isn't there, a line for each", "3001 Red: 2 of 10 there"),
            Variable("order_url", "The order's page", "https://demo.example.com/orders/…"),
            Variable("settings_url", "Where one chooses how one is told", "https://demo.example.com/notifications/…"),
        ),
    ),
    EmailKind("account_unknown", (_TENANT_NAME,)),
    EmailKind("account_exists", (_USER_NAME, _TENANT_NAME, Variable("login_url", "Where to sign in", "https://…"))),
    EmailKind(
        "account_changed",
        (
            _USER_NAME,
            Variable("subject", "The mail's subject", "Your password was changed"),
            Variable("what", "What has changed, as a sentence", "The password of your account was changed."),
            *_NOTICE,
        ),
    ),
)
KINDS: Mapping[str, EmailKind] = {kind.key: kind for kind in _KINDS}
# What every template has besides its own.
GIVEN = ("workspace_name", "workspace_url")

"""The only code that opens sockets outwards: what an adapter says to a provider goes through here."""

from common.wire.breaker import Breaker
from common.wire.budget import Budget, CallClass, Ledger
from common.wire.client import Answer, Wire
from common.wire.registry import Registry
from common.wire.retry import Policy
from common.wire.transport import LostError, NotSentError, download

__all__ = [
    "Answer",
    "Breaker",
    "Budget",
    "CallClass",
    "Ledger",
    "LostError",
    "NotSentError",
    "Policy",
    "Registry",
    "Wire",
    "download",
]

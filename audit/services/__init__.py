"""The trail's verbs: show what a revert would do, revert, and remove what retention no longer keeps."""

from audit.services.keeping import purge, purge_expired
from audit.services.planning import ABSENT, Decision, EntityPlan, FieldPlan, Plan, State
from audit.services.reverting import Refusal, Reverted, offered, preview_revert, revert

__all__ = [
    "ABSENT",
    "Decision",
    "EntityPlan",
    "FieldPlan",
    "Plan",
    "Refusal",
    "Reverted",
    "State",
    "offered",
    "preview_revert",
    "purge",
    "purge_expired",
    "revert",
]

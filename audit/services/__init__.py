"""The trail's verbs: show what a revert would do, revert, and remove what retention no longer keeps."""

from audit.services.keeping import purge, purge_expired
from audit.services.large import (
    HandedOver,
    LargeRevert,
    begin,
    check_outcome,
    go_on,
    hand_over_to,
    plan_words,
    preview_revert,
    start_revert,
    start_trial,
)
from audit.services.planning import ABSENT, Decision, EntityPlan, FieldPlan, Plan, State
from audit.services.reverting import PERMISSION, Refusal, Reverted, offered, revert

__all__ = [
    "ABSENT",
    "PERMISSION",
    "Decision",
    "EntityPlan",
    "FieldPlan",
    "HandedOver",
    "LargeRevert",
    "Plan",
    "Refusal",
    "Reverted",
    "State",
    "begin",
    "check_outcome",
    "go_on",
    "hand_over_to",
    "offered",
    "plan_words",
    "preview_revert",
    "purge",
    "purge_expired",
    "revert",
    "start_revert",
    "start_trial",
]

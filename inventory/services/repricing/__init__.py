"""Prices by the price guide: rules, what they would do, and doing it."""

from inventory.services.repricing.applying import (
    APPLY,
    apply_prices,
    approve_repricing,
    end_repricing,
    is_too_old,
    purge_repricing,
)
from inventory.services.repricing.planning import (
    PLAN,
    discard_repricing,
    moved_percent,
    plan,
    plan_again,
    run_rule,
    start_repricing,
    to_change,
    to_fetch,
)
from inventory.services.repricing.rules import create_rule, delete_rule, move_rule, update_rule

__all__ = [
    "APPLY", "PLAN", "apply_prices", "approve_repricing", "create_rule", "delete_rule", "discard_repricing",
    "end_repricing", "is_too_old", "move_rule", "moved_percent", "plan", "plan_again", "purge_repricing", "run_rule",
    "start_repricing", "to_change", "to_fetch", "update_rule",
]  # fmt: skip

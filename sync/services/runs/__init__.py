"""Runs: two stores are looked at, the difference is planned, approved and carried out."""

from sync.services.runs.applying import apply_run, end_apply
from sync.services.runs.approving import APPLY, approve_run, cancel_run, exclude_items, retry_run
from sync.services.runs.asking import ask_for_approval
from sync.services.runs.options import Options
from sync.services.runs.planning import make_preview
from sync.services.runs.repairing import has_stores_to_check, start_due_checks
from sync.services.runs.starting import PREVIEW, discard_run, end_preview, plan_again, start_inverse, start_preview

__all__ = [
    "APPLY", "PREVIEW", "Options", "apply_run", "approve_run", "ask_for_approval", "cancel_run", "discard_run",
    "end_apply", "end_preview", "exclude_items", "has_stores_to_check", "make_preview", "plan_again", "retry_run",
    "start_due_checks", "start_inverse", "start_preview",
]  # fmt: skip

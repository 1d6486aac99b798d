"""Says what went over the wire: one structured line for each attempt, with nothing secret in it."""

import structlog

from common import actor, workspace

logger = structlog.get_logger(__name__)


def attempt(
    *, provider: str, operation: str, method: str, path: str, number: int, status: int | None, milliseconds: int,
    outcome: str, calls_left: int | None,
) -> None:  # fmt: skip
    """Log one attempt. `status`: of the answer, None where there was none; `outcome`: `ok`, or the fault in a word."""
    log = logger.info if outcome == "ok" else logger.warning
    log(
        "wire.attempt",
        provider=provider,
        operation=operation,
        method=method,
        path=path,
        attempt=number,
        status=status,
        ms=milliseconds,
        outcome=outcome,
        calls_left=calls_left,
        workspace=workspace.current_key(),
        correlation_id=actor.origin().correlation_id,
    )

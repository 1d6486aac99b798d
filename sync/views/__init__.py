"""Pages of keeping in step: connecting stores, runs, and what both sides changed."""

from sync.views.conflicts import conflict_list, decide
from sync.views.connecting import channels, connect, credentials, test
from sync.views.deciding import approve, ask, choose, discard, inverse, plan_again, retry, stop
from sync.views.elsewhere import work
from sync.views.plan import run
from sync.views.runs import new_run, run_list

__all__ = [
    "approve", "ask", "channels", "choose", "conflict_list", "connect", "credentials", "decide", "discard", "inverse",
    "new_run", "plan_again", "retry", "run", "run_list", "stop", "test", "work",
]  # fmt: skip

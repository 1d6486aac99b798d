"""How the audit log calls what keeping in step does."""

from audit import labels

_ACTIONS = {
    "sync.push_store": "Sent stock to a store",
    "sync.send": "Sent stock to a store",
    "sync.settle": "Sent stock to a store",
    "sync.agree": "Read a store's lots",
    "sync.list_new": "Listed new lots in a store",
    "sync.apply_run": "Brought stores into step",
    "sync.compare_stores": "Compared stores",
    "sync.decide_conflicts": "Decided what both sides changed",
}


def register() -> None:
    """Tell audit the words."""
    for action, words in _ACTIONS.items():
        labels.name_action(action, words)

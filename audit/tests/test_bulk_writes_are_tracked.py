"""Nobody writes rows of a tracked model in a way that leaves no history: the syntax trees of all apps say so.

Managers refuse it while they run (audit.tracking); this finds it before, and what goes around the managers.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from audit.recording import is_tracked

ROOT = Path(settings.BASE_DIR)
# Calls that write no history, and those that simple-history offers for writing it by other means than ours.
UNSEEN = {
    "update", "aupdate", "bulk_create", "abulk_create", "bulk_update", "abulk_update", "_raw_delete", "_update",
    "bulk_create_with_history", "bulk_update_with_history", "save_without_historical_record",
}  # fmt: skip
# What makes a chain of calls a queryset rather than a dict or a hash.
QUERYSET = {"objects", "_base_manager", "_default_manager", "filter", "exclude", "all", "order_by", "using"}

# What no manager of the model sees.
AROUND = {
    "_base_manager", "_raw_delete", "_update", "save_without_historical_record", "bulk_create_with_history",
    "bulk_update_with_history",
}  # fmt: skip

# Where the model can't be read off the call, and why it leaves nothing unseen.
ALLOWED = {
    "audit/bulk.py": "is the module that owns bulk writes; what it updates plainly has no history",
}


def _sources() -> Iterator[Path]:
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if ROOT in folder.parents and ".venv" not in folder.parts:
            yield from (p for p in folder.rglob("*.py") if not {"migrations", "tests", "testing"} & set(p.parts))


def _parts(node: ast.expr) -> list[str]:
    """Answer the names along a chain: `Role.objects.filter(…)` is Role, objects, filter."""
    match node:
        case ast.Attribute():
            return [*_parts(node.value), node.attr]
        case ast.Call():
            return _parts(node.func)
        case ast.Name():
            return [node.id]
        case _:
            return [""]


def _is_unseen(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name) and call.func.id in UNSEEN - {"update"}
    if call.func.attr not in UNSEEN:
        return False
    chain = _parts(call.func.value)
    # A dict takes what it is updated with by position, a queryset by name.
    return call.func.attr != "update" or bool(set(chain) & QUERYSET) or bool(call.keywords and not call.args)


def _unseen_writes(tree: ast.AST) -> Iterator[str]:
    models = {model.__name__: model for model in apps.get_models()}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _is_unseen(node)):
            continue
        chain = _parts(node.func)
        if chain[0] in {"bulk", "audit"}:
            continue
        model = models.get(chain[0])
        # A queryset by another name came from a manager, which refuses by itself.
        if is_tracked(model) if model else set(chain) & AROUND:
            yield f"{node.lineno} {'.'.join(chain)}"


def test_writes_no_tracked_rows_unseen() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{call}"
        for path in _sources()
        if str(path.relative_to(ROOT)) not in ALLOWED
        for call in _unseen_writes(ast.parse(path.read_text()))
    ]
    assert not found, "use audit.bulk, or write the model's name into the call if it has no history:\n" + "\n".join(
        found
    )


def test_allows_nothing_that_is_gone() -> None:
    assert all((ROOT / name).exists() for name in ALLOWED)


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("Role.objects.filter(pk=1).update(name='x')", True),
        ("Role.objects.bulk_create(rows)", True),
        ("model._base_manager.all().order_by('name').update(name='x')", True),
        ("rows.filter(pk=1)._raw_delete('default')", True),
        ("bulk_create_with_history(rows, Role)", True),
        ("role.save_without_historical_record()", True),
        ("Session.objects.filter(pk=1).update(user=None)", False),
        ("bulk.bulk_create(Role, rows)", False),
        ("values.update({'name': 'x'})", False),
        ("digest.update(b'x')", False),
    ],
)
def test_tells_rows_from_other_things(code: str, is_found: bool) -> None:  # noqa: FBT001  # a test's parameter
    assert bool(list(_unseen_writes(ast.parse(code)))) is is_found

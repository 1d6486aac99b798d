"""The rules of the house that can be decided by reading: who may write, what is tracked, what is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from brikonnect.environ import Environ

ROOT = Path(__file__).resolve().parent.parent
APPS = (
    "common",
    "events",
    "audit",
    "jobs",
    "catalog",
    "stores",
    "inventory",
    "orders",
    "picker",
    "sync",
    "accounts",
    "notifications",
    "tenants",
    "brikonnect",
)

# Models without a history, and why nothing is lost by it.
UNTRACKED = {
    "audit.ChangeSet": "is the trail",
    "common.IdempotencyRecord": "remembers answers for a day; the changes behind them are tracked",
    "common.LimitWindow": "counts requests while Redis is away",
    "events.Event": "is itself a record of what happened",
    "events.Telling": "which subscriber was told, beside its event",
    "jobs.JobRun": "its log and its change sets tell its story",
    "jobs.JobLog": "is itself a log",
    "catalog.CatalogCategory": "read anew from the sources' dumps, as the rest of the catalog",
    "catalog.CatalogColor": "read anew from the sources' dumps",
    "catalog.CatalogDownload": "says what an address served, and when",
    "catalog.CatalogDump": "says what was read, and when",
    "catalog.CatalogElement": "read anew from the sources' dumps",
    "catalog.CatalogExternalId": "read anew from the sources' dumps",
    "catalog.CatalogIdMapping": "worked out from the external ids",
    "catalog.CatalogImage": "fetched anew from the sources",
    "catalog.CatalogItem": "read anew from the sources' dumps",
    "catalog.CatalogItemColor": "read anew from the sources' dumps",
    "catalog.CatalogRelation": "read anew from the sources' dumps",
    "catalog.CatalogSetItem": "read anew from the sources' dumps",
    "catalog.CatalogWord": "worked out from the names of the items",
    "catalog.CurrencyRate": "a fact of a day",
    "catalog.ImageIdentification": "an answer kept for the next time",
    "catalog.LookUpMiss": "remembered for a day",
    "catalog.MappingOffer": "what shops' own mappings say, which are tracked; who decided stands at the row",
    "catalog.MappingVoice": "that a shop says so, which its own mapping tells",
    "catalog.PriceGuide": "an answer kept until it is old",
    "catalog.SourceBudget": "counts calls",
    "stores.StoreCredential": "secrets leave no trail; who set them, and when, is on the row",
    "stores.StoreSyncState": "how a store fares right now",
    "inventory.StockMovement": "is itself the ledger, append-only",
    "inventory.InventoryImport": "says what became of a file; what it changed is tracked",
    "inventory.ImportLine": "a row of a file, kept until its import is old",
    "inventory.UnmappedItem": "a question, made anew whenever a file or a channel leaves it; the answers are tracked",
    "inventory.RepricingRun": "says what became of a repricing; what it changed is tracked",
    "inventory.RepricingLine": "what a repricing does to a lot; the lot is tracked",
    "inventory.RememberedMapping": "what the columns of a kind of file mean, learned anew with each import",
    "orders.OrderFile": "says what became of a file; the orders that it brought are tracked",
    "orders.FileOrder": "an order of a file, until it is one of ours",
    "picker.PickEvent": "is itself the record, append-only",
    "picker.PickNeed": "how far a stop is; the picks are the record, and lines have a history",
    "picker.PickSessionOrder": "says itself when an order left, and why",
    "picker.PickStop": "planned anew whenever the orders change",
    "picker.Picker": "where somebody is right now",
    "accounts.Session": "comes and goes with each sign-in; sign-ins are logged",
    "accounts.RecoveryCode": "a secret's hash, used once; turning the second factor on and off is in the log",
    "accounts.RefreshToken": "append-only in effect: rows are spent and revoked, never reused",
    "notifications.QueuedEmail": "carries its own attempts and outcome; bodies are personal",
    "notifications.Notification": "a message, written once",
    "notifications.NotificationState": "read and dismissed, by the person it belongs to",
    "notifications.NotificationPreference": "how one person wants to be told, which concerns nobody else",
    "tenants.SignUp": "somebody who is not yet a customer; deleted after a day",
    "tenants.DeletedTenant": "is itself the record of a deletion",
    "sync.ListingState": "how far a listing is; the listing's own history has what was agreed on",
    "sync.OrderTold": "what a channel was told of an order, whose own history has what became of it",
    "sync.OrderMessage": "a copy of what a channel answered; personal, and gone with the buyer's data",
    "sync.Notice": "what a channel told by itself, and nobody believes",
    "sync.NotifyAddress": "a secret of ours, made anew whenever it is lost",
    "sync.StuckOrder": "an order that isn't here yet; once it is, it has its own history",
    "sync.Snapshot": "a copy of what a channel answered",
    "sync.SyncRun": "a run like a job; what it does to lots and listings is in their histories",
    "sync.SyncAgreement": "what a run found and hasn't done yet; listings have a history of their own",
    "sync.SyncPlanItem": "what a run did or will do, one row for each lot",
}

# Files that write although they are no services, and why they may.
WRITERS = {
    "accounts/sessions.py": "Django's session protocol",
    "accounts/tokens.py": "owns a token family's life, in transactions of its own",
    "audit/bulk.py": "the one module that owns bulk writes",
    "audit/context.py": "makes the change set of what is written",
    "common/images.py": "writes a picture into memory",
    "common/limits.py": "counts requests while Redis is away",
    "common/api/idempotency.py": "remembers answers around a view",
    "events/bus.py": "writes the outbox",
    "events/dispatch.py": "marks what was told",
    "jobs/runner.py": "owns a job's life cycle",
}
WRITING = {"save", "delete", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update"}


def _sources() -> Iterator[Path]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if not {"migrations", "tests", "testing", "testing.py", "devstack"} & set(path.parts):
                yield path


def _is_service(path: Path) -> bool:
    return (
        path.name in {"services.py", "provisioning.py", "deletion.py"}
        or "services" in path.parent.parts
        or "commands" in path.parts
    )


def _orm_writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find calls such as `Model.objects.create(…)` and `row.save(…)`, but not the update of a dict or a hash."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITING):
            continue
        text = ast.unparse(node.func.value)
        through_manager = ".objects" in text or text.endswith(("all()", "filter()")) or ".filter(" in text
        if through_manager or (
            node.func.attr in {"save", "delete"} and not text.startswith(("cache", "default_storage", "super()"))
        ):
            yield node.lineno, f"{text}.{node.func.attr}"


def test_write_only_in_services() -> None:
    wrong = []
    for path in _sources():
        name = str(path.relative_to(ROOT))
        if _is_service(path) or name in WRITERS:
            continue
        wrong += [f"{name}:{line} {call}" for line, call in _orm_writes(ast.parse(path.read_text()))]
    assert not wrong, "move these into services:\n" + "\n".join(wrong)


def test_track_every_model_or_say_why_not() -> None:
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in APPS]
    histories = {
        model._meta.simple_history_manager_attribute
        for model in ours
        if hasattr(model._meta, "simple_history_manager_attribute")
    }
    assert histories, "no model has a history at all"
    untracked = {
        model._meta.label
        for model in ours
        if not hasattr(model._meta, "simple_history_manager_attribute") and not model.__name__.startswith("Historical")
    }
    through = {model._meta.label for model in ours if model._meta.auto_created}
    assert untracked - through == set(UNTRACKED)


@pytest.mark.parametrize(
    "model", [m for m in apps.get_models() if m.__module__.split(".")[0] in APPS], ids=lambda m: m._meta.label
)
def test_order_no_model_by_default(model: type[models.Model]) -> None:
    if model.__name__.startswith("Historical"):
        return  # simple-history orders its own tables by date and id
    assert not model._meta.ordering, "lists order themselves, by something unique"


def test_document_every_setting() -> None:
    documented = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert documented == list(Environ.model_fields)


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name)
def test_name_no_host_in_the_locks(lock: Path) -> None:
    text = lock.read_text()
    assert "--hash=sha256:" in text
    for forbidden in ("://", "--index", "--extra-index", "--find-links", " @ "):
        assert forbidden not in text


def test_read_the_environment_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
        and path.name not in {"settings_test.py", "wsgi.py", "asgi.py", "celery.py"}
    }
    assert not readers


def test_count_money_without_floats() -> None:
    for path in _sources():
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            assert not (re.search(r"\bfloat\(", line) and re.search(r"price|amount|total|fee|cost", line)), (
                f"{path}:{number}"
            )


@pytest.mark.xdist_group("browser")
def test_tests_that_must_not_meet_are_run_by_one_worker(request: pytest.FixtureRequest) -> None:
    # A pytest that pytest-xdist doesn't know yet runs them side by side, and says nothing.
    if hasattr(request.config, "workerinput") and request.config.getoption("loadgroup"):
        assert request.node.nodeid.endswith("@browser")

"""Retention: removes what is older than a shop keeps it, and says so in the trail."""

from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.dateformat import format as format_date

from audit import context, retention
from audit.models import ChangeSet
from audit.recording import DELETED, history_of, key_of, quote, tracked_models
from common import workspace
from common.errors import Invalid

# A year may have so many days. Nobody may keep less (audit.md).
_MONTH = timedelta(days=366) / 12
FLOOR = 12 * _MONTH


def _purge_history(model: type[models.Model], before: datetime) -> int:
    """Remove old rows, but the last one of each entity that existed then: the next change shows what was before."""
    table, key = quote(history_of(model)._meta.db_table), quote(key_of(model).column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} h WHERE h.history_date < %s AND (h.history_type = %s OR EXISTS"  # noqa: S608  # names come from the models
            f" (SELECT 1 FROM {table} n WHERE n.{key} = h.{key} AND n.history_id > h.history_id"
            " AND n.history_date < %s))",
            [before, DELETED, before],
        )
        count: int = cursor.rowcount
    return count


def _purge_change_sets(before: datetime) -> int:
    """Remove old change sets that no history row points to any more."""
    unused = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {quote(history_of(model)._meta.db_table)} h WHERE h.change_set_id = c.id)"  # noqa: S608  # as above
        for model in tracked_models()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {quote(ChangeSet._meta.db_table)} c WHERE c.created_at < %s{unused}",  # noqa: S608  # as above
            [before],
        )
        count: int = cursor.rowcount
    return count


@transaction.atomic
def purge(*, before: datetime, now: datetime | None = None) -> int:
    """Remove the history before a moment, which must be at least twelve months ago; answer how many rows went.

    The last state of every entity that exists stays, so that what changed it later still shows what was before.
    """
    if before > (now or timezone.now()) - FLOOR:
        raise Invalid(errors={"/before": ["At least the last twelve months are kept."]})
    with retention.allowed():
        count = sum(_purge_history(model, before) for model in tracked_models())
        change_sets = _purge_change_sets(before)
    if count or change_sets:
        with context.change_set("audit.purge", reason=f"History before {format_date(before, 'j M Y')} removed") as deed:
            deed.values().save(force_insert=True)
            deed.row().mark_written()
    return count


def purge_expired(*, now: datetime) -> int:
    """Remove what is older than the shop keeps it; answer how many rows went."""
    return purge(before=now - max(12, workspace.current().audit_retention_months) * _MONTH, now=now)

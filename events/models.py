"""The outbox's tables: an event waits here until every subscriber has been told."""

from django.db import models
from django.db.models import Q

from common.ids import new_id


class Event(models.Model):
    """Something that happened, written in the transaction that made it true."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event_type = models.CharField(max_length=64)
    # {"version": 1, "sequence": n, "occurred_at": …, "data": {…}}
    payload = models.JSONField()
    # From a sequence of the schema: rises in the order of publishing, has gaps where a transaction was rolled back.
    sequence = models.BigIntegerField(unique=True, editable=False)
    entity_key = models.CharField(max_length=120, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # When the last subscriber had been told.
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["processed_at"], name="event_processed")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.sequence}"


class Telling(models.Model):
    """One subscriber's debt of one event. Done in the transaction of what the subscriber does about it."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tellings")
    subscriber = models.CharField(max_length=150)
    # Copied from the event, so that the search for the next one reads one index.
    sequence = models.BigIntegerField()
    entity_key = models.CharField(max_length=120, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["sequence"], condition=Q(done_at__isnull=True), name="telling_waiting"),
            models.Index(
                fields=["subscriber", "entity_key", "sequence"], condition=Q(done_at__isnull=True), name="telling_order"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["event", "subscriber"], name="telling_once")]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.sequence}"

"""The columns that every table has, and this app's tables: remembered answers, and limits while Redis is away."""

from django.db import models
from django.db.models import Q

from common.fields import EncryptedJSONField
from common.ids import new_id


class BaseModel(models.Model):
    """A row with a key ordered by time, and the moments it was made and last changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True


class VersionedModel(BaseModel):
    """A row that refuses lost updates: services raise StaleVersion where the caller saw an older version."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class IdempotencyRecord(models.Model):
    """What a POST with an Idempotency-Key answered, so that its repetition answers the same and does nothing."""

    class State(models.TextChoices):
        RUNNING = "RUNNING"
        DONE = "DONE"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # "USER:<id>" or "API_KEY:<id>": the identity that sent the key; keys of two identities never meet.
    identity = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State, default=State.RUNNING)
    response_status = models.PositiveSmallIntegerField(null=True)
    # Encrypted because an answer may show a secret once. {"body": …, "headers": {…}}
    response_body = EncryptedJSONField(null=True)
    # When the present attempt began. Who takes over from an attempt that died moves it, and so fences the old one off.
    started_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["identity", "key"], name="idempotency_identity_key"),
            models.CheckConstraint(condition=Q(state__in=["RUNNING", "DONE"]), name="idempotency_state"),
            models.CheckConstraint(
                condition=Q(state="RUNNING") | Q(response_status__isnull=False), name="idempotency_done_has_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"


class LimitWindow(models.Model):
    """How often a subject used a limit, counted here only while Redis is away (common.limits)."""

    key = models.CharField(max_length=255, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"

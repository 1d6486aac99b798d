"""Change sets: what one request, task or command changed together; history rows of every entity point to them."""

from django.db import models
from django.db.models import Q

from common.actor import ActorKind
from common.ids import new_id


class Source(models.TextChoices):
    """Through which door a change came."""

    PAGE = "PAGE", "page"
    API = "API", "API"
    JOB = "JOB", "job"
    COMMAND = "COMMAND", "command"
    ADMIN = "ADMIN", "staff"


class ChangeSet(models.Model):
    """One deed: who, when, from where, why, what it takes back. Append-only, like the history rows that point to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor_type = models.CharField(max_length=7, choices=[(kind.value, kind.value) for kind in ActorKind])
    # Text and a name as it was then, so that the trail outlives users, keys and jobs.
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200)
    # Who started the job that did it, as `KIND:id`; empty where the actor did it by themselves.
    on_behalf_of = models.CharField(max_length=72, blank=True, default="", db_default="")
    action = models.CharField(max_length=100)
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=7, choices=Source)
    correlation_id = models.CharField(max_length=64, blank=True, db_index=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    # Without a constraint: the retention job removes old change sets, and newer ones that revert them keep their word.
    reverts = models.ForeignKey(
        "self", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="reverted_by"
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="change_set_newest"),
            models.Index(fields=["actor_type", "actor_id", "-created_at"], name="change_set_actor"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(actor_type__in=[kind.value for kind in ActorKind]), name="change_set_actor_type"
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="change_set_source"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action}"

    @property
    def principal(self) -> str:
        """Answer the identity of who wanted it: who started the job, else who acted."""
        return self.on_behalf_of or f"{self.actor_type}:{self.actor_id}"


class HistoryRow(models.Model):
    """What every history table has besides the columns of its entity."""

    # Checked at the commit, as every constraint of ours: a row whose change set was rolled back can't stay. The index
    # that Django would make is part of a better one (audit.tracking).
    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )

    class Meta:
        abstract = True

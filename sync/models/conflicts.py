"""What both sides changed, and a person decides."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.tracking import history
from common.models import BaseModel
from stores.channels import LotField

_FIELDS = [(each.value, each.value) for each in LotField]


class SyncConflict(BaseModel):
    """One field of a listing that was changed here and there, differently, since both agreed.

    Values are as in `sync.states`. Until it is decided the field stays as it is on both sides, and its base too.
    """

    listing = models.ForeignKey("inventory.InventoryExternalId", on_delete=models.CASCADE, related_name="conflicts")
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=11, choices=_FIELDS)
    base = models.JSONField(null=True)
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    found_at = models.DateTimeField()
    # Null while it waits; "ours" or "theirs" is what counted, "void" what went away by itself.
    decision = models.CharField(max_length=6, blank=True, choices=[(each, each) for each in ("ours", "theirs", "void")])
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "field"], condition=Q(decision=""), name="conflict_open_once"),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decided_at__isnull=False), name="conflict_decided_has_time"
            ),
        ]
        indexes = [models.Index(fields=["store", "found_at"], condition=Q(decision=""), name="conflict_open")]

    def __str__(self) -> str:
        return f"{self.field}: {self.ours} or {self.theirs}"

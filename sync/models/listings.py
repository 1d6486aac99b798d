"""How far a listing is from what is wanted of it."""

from django.db import models
from django.db.models import Q

from sync.choices import Urgency


class ListingState(models.Model):
    """What was last compared and sent of a listing. A row that is missing or behind its lot is to be looked at.

    Nothing here is a message: who finds it behind works out anew what is wanted there, and sends the difference to the
    listing's base.
    """

    listing = models.OneToOneField(
        "inventory.InventoryExternalId", primary_key=True, on_delete=models.CASCADE, related_name="state"
    )
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+", db_index=False)
    # Which version of the lot, and of the store's rules, it was last compared with.
    lot_version = models.PositiveIntegerField(null=True)
    rules_version = models.PositiveIntegerField(null=True)
    # The state expected once what was sent has had its effect (sync.states); null where an answer came.
    sent = models.JSONField(null=True)
    sent_at = models.DateTimeField(null=True)
    # When its quantity was last read there: sales before that moment are in it, later ones are taken off the base.
    read_at = models.DateTimeField(null=True)
    # How many sales came in that weren't in the base: who has read it meanwhile reads it once more.
    sales_count = models.PositiveIntegerField(default=0)
    # Nobody knows how it stands there: it is read before anything is sent.
    must_read = models.BooleanField(default=False)
    # Its reading failed, and it alone: until then nobody tries again, and nothing is sent to it.
    read_again_at = models.DateTimeField(null=True)
    # By how many pieces it may stand lower or higher there than the base says, and nobody can tell: sales about when it
    # was read, orders that were cancelled. What lies within is no edit.
    may_have_fewer = models.PositiveIntegerField(default=0)
    may_have_more = models.PositiveIntegerField(default=0)
    # It was for sale when a vacation began, and is put into a stockroom there until that ends.
    is_put_away = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # What is to be sent of it, the most urgent first (sync.choices.Urgency), and since when; null where nothing is.
    urgency = models.PositiveSmallIntegerField(choices=Urgency, null=True)
    waiting_since = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["store"], condition=Q(sent__isnull=False) | Q(must_read=True), name="listing_doubtful"
            ),
            models.Index(fields=["store"], condition=~Q(error=""), name="listing_refused"),
            models.Index(
                fields=["store", "urgency", "waiting_since"],
                condition=Q(urgency__isnull=False),
                name="listing_to_be_sent",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent__isnull=True) | Q(sent_at__isnull=False), name="listing_sent_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id}: {self.error or self.lot_version}"

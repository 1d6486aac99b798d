"""Pick sessions: walks through the storage, their stops, and what was said at each."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audit.tracking import history
from common.ids import new_id
from common.models import BaseModel, VersionedModel
from picker.choices import OPEN, EventType, Leaving, Remainder, SessionStatus


class PickSession(VersionedModel):
    """One walk for several orders, by one picker or several. `version` rises with all that its screens show."""

    # Our own, counted by shop.
    number = models.BigIntegerField(unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=9, choices=SessionStatus, default=SessionStatus.DRAFT)
    total_orders = models.PositiveIntegerField("orders", default=0)
    total_items = models.PositiveIntegerField("pieces", default=0)
    picked_items = models.PositiveIntegerField("picked", default=0)
    missing_items = models.PositiveIntegerField("missing", default=0)
    # Rises when stops come, go or change their needs, so that a device knows that its copy is old.
    route_version = models.PositiveIntegerField(default=1, editable=False)
    # How far the walk is, where the map knows its places; null without one.
    route_metres = models.DecimalField("metres", max_digits=10, decimal_places=1, null=True, blank=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    completed_at = models.DateTimeField("ended", null=True, blank=True)
    notes = models.TextField(blank=True)

    history = history(
        exclude=[
            "version",
            "total_orders",
            "total_items",
            "picked_items",
            "missing_items",
            "route_version",
            "route_metres",
        ]
    )

    class Meta:
        verbose_name = "pick session"
        indexes = [
            models.Index(fields=["status", "-number"], name="pick_session_by_status"),
            models.Index(fields=["completed_at"], name="pick_session_by_end"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="pick_session_status"),
            models.CheckConstraint(
                condition=Q(picked_items__lte=F("total_items") - F("missing_items")), name="pick_session_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(status="DRAFT") | Q(status="CANCELLED") | Q(started_at__isnull=False),
                name="pick_session_started",
            ),
            models.CheckConstraint(
                condition=Q(status__in=OPEN) | Q(completed_at__isnull=False), name="pick_session_ended"
            ),
        ]

    def __str__(self) -> str:
        return f"Session {self.number}"

    @property
    def is_open(self) -> bool:
        """Tell whether it may still be picked."""
        return self.status in OPEN


class PickSessionOrder(BaseModel):
    """An order in a session. In one that isn't ended it is in no other: it has left the others."""

    session = models.ForeignKey(PickSession, on_delete=models.CASCADE, related_name="entries")
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="pick_entries")
    sort_order = models.PositiveIntegerField()
    # A, B, C … Z, AA …: the tote that its pieces go into.
    batch_code = models.CharField(max_length=4)
    left_at = models.DateTimeField("left", null=True, blank=True)
    leaving = models.CharField(max_length=9, choices=Leaving, blank=True)

    class Meta:
        verbose_name = "order of a session"
        constraints = [
            models.UniqueConstraint(fields=["session", "order"], name="pick_entry_once"),
            models.UniqueConstraint(fields=["session", "batch_code"], name="pick_entry_batch_code"),
            models.UniqueConstraint(fields=["order"], condition=Q(left_at__isnull=True), name="pick_entry_one_session"),
            models.CheckConstraint(condition=Q(leaving__in=["", *Leaving.values]), name="pick_entry_leaving"),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, leaving="") | (Q(left_at__isnull=False) & ~Q(leaving="")),
                name="pick_entry_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_code}: {self.order_id}"


class Picker(BaseModel):
    """Somebody who picks in a session, and when their device was last heard of."""

    session = models.ForeignKey(PickSession, on_delete=models.CASCADE, related_name="pickers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    # The stop that they stand at or walk to.
    stop = models.ForeignKey("PickStop", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "user"], name="picker_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.session_id}"


class PickStop(BaseModel):
    """One lot at one place, for all orders of the session that want it; without a place where none is known."""

    session = models.ForeignKey(PickSession, on_delete=models.CASCADE, related_name="stops")
    position = models.PositiveIntegerField()
    # Not enforced: a lot may be merged away while somebody walks.
    inventory_item = models.ForeignKey(
        "inventory.InventoryItem", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+",
        verbose_name="lot",
    )  # fmt: skip
    location = models.ForeignKey(
        "inventory.Location", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # As it was called when the walk was planned.
    location_code = models.CharField(max_length=40, blank=True)
    # Whose stop it is; nobody else is offered it. Null until somebody begins.
    picker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The session's version with which it changed last.
    changed_in = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "stop"
        indexes = [
            models.Index(fields=["session", "position"], name="pick_stop_in_order"),
            models.Index(fields=["session", "changed_in"], name="pick_stop_changed"),
        ]

    def __str__(self) -> str:
        return self.location_code or "No location"


class PickNeed(BaseModel):
    """So many pieces at a stop for one order line, and how far that is. Never more than are needed."""

    stop = models.ForeignKey(PickStop, on_delete=models.CASCADE, related_name="needs")
    order_line = models.ForeignKey("orders.OrderLine", on_delete=models.CASCADE, related_name="pick_needs")
    qty = models.PositiveIntegerField("pieces")
    qty_picked = models.PositiveIntegerField("picked", default=0)
    qty_missing = models.PositiveIntegerField("missing", default=0)

    class Meta:
        verbose_name = "need"
        constraints = [
            models.UniqueConstraint(fields=["stop", "order_line"], name="pick_need_once"),
            models.CheckConstraint(
                condition=Q(qty__gte=F("qty_picked") + F("qty_missing")), name="pick_need_no_piece_twice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.qty} for {self.order_line_id}"


class PickEvent(models.Model):
    """What a picker said, for good: append-only. A later ADJUSTMENT says what it should have been."""

    # Rises: what comes later corrects what came before.
    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True, default=new_id, editable=False)
    session = models.ForeignKey(PickSession, on_delete=models.PROTECT, related_name="events", db_index=False)
    order_line = models.ForeignKey("orders.OrderLine", on_delete=models.PROTECT, related_name="pick_events")
    # Not enforced: stops may go, and what was said at them stays.
    stop = models.ForeignKey(
        PickStop, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    event_type = models.CharField(max_length=10, choices=EventType)
    # Pieces; of an ADJUSTMENT those that the corrected event is of from now on.
    qty = models.PositiveIntegerField("pieces")
    corrects = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="corrections")
    location_code = models.CharField(max_length=40, blank=True)
    remainder = models.CharField(max_length=7, choices=Remainder, blank=True)
    # What it took from the lot besides, or gave it, so that an undo gives it back.
    stock_change = models.IntegerField(default=0)
    # The stop that takes over pieces that were missing here.
    moved_to = models.UUIDField(null=True)
    moved_qty = models.PositiveIntegerField(default=0)
    notes = models.CharField(max_length=300, blank=True)
    # Made on the device: the same once more is the same event. The digest tells whether it says the same.
    idempotency_key = models.CharField(max_length=64)
    body_digest = models.CharField(max_length=64)
    # By the device's clock, kept between the session's start and now.
    picked_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "pick"
        indexes = [
            models.Index(fields=["session", "id"], name="pick_event_of_session"),
            models.Index(fields=["user", "picked_at"], name="pick_event_by_user"),
            models.Index(fields=["picked_at"], name="pick_event_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session", "idempotency_key"], name="pick_event_once"),
            models.CheckConstraint(condition=Q(event_type__in=EventType.values), name="pick_event_type"),
            models.CheckConstraint(condition=Q(remainder__in=["", *Remainder.values]), name="pick_event_remainder"),
            models.CheckConstraint(
                condition=Q(event_type="ADJUSTMENT", corrects__isnull=False)
                | (~Q(event_type="ADJUSTMENT") & Q(corrects__isnull=True)),
                name="pick_event_corrects",
            ),
            models.CheckConstraint(
                condition=Q(event_type="ADJUSTMENT") | Q(qty__gte=1), name="pick_event_is_of_pieces"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.qty}"

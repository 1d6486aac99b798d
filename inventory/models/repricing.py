"""Repricing: the rules by which prices are made from the price guide, their runs, and what a run does to each lot."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from audit.tracking import history
from common.models import BaseModel, VersionedModel
from inventory.choices import PriceOutcome, RepricingStatus, Schedule
from inventory.repricing import BASIS_WORDS, Basis, Rounding, Terms

_BASES = [(each.value, f"{words[0].upper()}{words[1:]}") for each, words in BASIS_WORDS.items()]
_ROUNDINGS = [(each.value, each.value) for each in Rounding]


def _amount(label: str, **options: object) -> "models.DecimalField":  # type: ignore[type-arg]  # takes no parameters at run time
    return models.DecimalField(label, max_digits=12, decimal_places=4, **options)  # type: ignore[arg-type]  # as the field takes them


class RepricingRule(VersionedModel):
    """Which lots are priced how. A lot that several active rules cover is the first one's."""

    name = models.CharField(max_length=60)
    # Which lots it covers: the filters of the list, as its address has them.
    query = models.CharField("lots", max_length=2000, blank=True)
    position = models.PositiveIntegerField("order", default=0)
    is_active = models.BooleanField("active", default=True)
    schedule = models.CharField(max_length=7, choices=Schedule, default=Schedule.NONE)
    # A run by schedule that would move more of the lots' value than this waits for a person.
    guard_percent = models.DecimalField("asks above", max_digits=5, decimal_places=1, default=10)
    basis = models.CharField("price from", max_length=13, choices=_BASES)
    factor = _amount("factor", default=1)
    amount = _amount("plus", default=0)
    rounding = models.CharField(max_length=6, choices=_ROUNDINGS, default=Rounding.CENT.value)
    floor = _amount("not below", null=True, blank=True)
    cost_factor = _amount("not below cost ×", null=True, blank=True)
    ceiling = _amount("not above", null=True, blank=True)
    cap_percent = models.DecimalField("at most % at once", max_digits=5, decimal_places=1, null=True, blank=True)
    min_sales = models.PositiveIntegerField("trusted from", default=0)
    fallback = models.CharField("else from", max_length=13, blank=True, choices=_BASES)
    scales_tiers = models.BooleanField("tier prices go along", default=True)

    history = history()

    class Meta:
        verbose_name = "repricing rule"
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="repricing_rule_name", violation_error_message="There is a rule of that name."
            ),
            models.CheckConstraint(condition=~Q(name=""), name="repricing_rule_has_name"),
            models.CheckConstraint(condition=Q(schedule__in=Schedule.values), name="repricing_rule_schedule"),
            models.CheckConstraint(condition=Q(basis__in=[value for value, _ in _BASES]), name="repricing_rule_basis"),
            models.CheckConstraint(
                condition=Q(fallback__in=["", *(value for value, _ in _BASES)]), name="repricing_rule_fallback"
            ),
            models.CheckConstraint(
                condition=Q(rounding__in=[value for value, _ in _ROUNDINGS]), name="repricing_rule_rounding"
            ),
            models.CheckConstraint(
                condition=Q(factor__gt=0) & Q(guard_percent__gt=0), name="repricing_rule_above_zero"
            ),
            models.CheckConstraint(
                condition=(Q(floor__isnull=True) | Q(floor__gte=0))
                & (Q(cost_factor__isnull=True) | Q(cost_factor__gt=0))
                & (Q(ceiling__isnull=True) | Q(ceiling__gt=0))
                & (Q(cap_percent__isnull=True) | Q(cap_percent__gt=0)),
                name="repricing_rule_limits",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> Terms:
        """Answer how it makes prices."""
        return Terms(
            basis=Basis(self.basis),
            factor=self.factor,
            amount=self.amount,
            rounding=Rounding(self.rounding),
            floor=self.floor,
            cost_factor=self.cost_factor,
            ceiling=self.ceiling,
            cap_percent=self.cap_percent,
            min_sales=self.min_sales,
            fallback=Basis(self.fallback) if self.fallback else None,
            scales_tiers=self.scales_tiers,
        )


class RepricingRun(BaseModel):
    """Prices worked out for some lots, to be looked at and then set: by a rule, or once by a bulk edit."""

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Of the form that asked for it, so that a second press asks for nothing.
    idempotency_key = models.CharField(max_length=150, unique=True)
    rule = models.ForeignKey(RepricingRule, null=True, on_delete=models.SET_NULL, related_name="runs")
    # As they were when it began: the rule may be another by now.
    name = models.CharField(max_length=60, blank=True)
    terms = models.JSONField()
    # Which lots (inventory.services.bulk_edit.Selection), without those that the filters of `above` have.
    selection = models.JSONField()
    above = models.JSONField(default=list)
    is_scheduled = models.BooleanField(default=False)
    status = models.CharField(max_length=9, choices=RepricingStatus, default=RepricingStatus.PLANNING)
    # {"RISES": 12, "FALLS": 3, "equal": 80, "locked": 2, …}
    counts = models.JSONField(default=dict)
    value_before = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    value_after = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    # How much of the value goes up or down, both counted.
    value_moved = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    # Why a run by schedule waits for a person.
    question = models.CharField(max_length=300, blank=True)
    plan_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    apply_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    # Of the job that set the prices, for the undo.
    change_set_id = models.UUIDField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="repricing_newest")]
        constraints = [models.CheckConstraint(condition=Q(status__in=RepricingStatus.values), name="repricing_status")]

    def __str__(self) -> str:
        return self.name or "Set to price guide"


class RepricingLine(models.Model):
    """A lot whose price a run changes, or why it doesn't. Once it is set, this is why the lot has its price."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(RepricingRun, on_delete=models.CASCADE, related_name="lines", db_index=False)
    lot_id = models.UUIDField()
    # Which version of the lot was judged: one that has changed since is judged anew before its price is set.
    lot_version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=7, choices=PriceOutcome)
    # Why the price is kept (inventory.repricing.Skip), or what became of the lot meanwhile.
    reason = models.CharField(max_length=20, blank=True)
    price_before = models.DecimalField(max_digits=12, decimal_places=4)
    price_after = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    # The tier prices that go along; null where they stay.
    tiers_after = models.JSONField(null=True)
    # Sentences of how the price came about.
    steps = models.JSONField(default=list)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "lot_id"], name="repricing_line_lot"),
            models.CheckConstraint(condition=Q(outcome__in=PriceOutcome.values), name="repricing_line_outcome"),
            models.CheckConstraint(
                condition=Q(outcome=PriceOutcome.SKIPPED) | Q(price_after__isnull=False),
                name="repricing_line_has_price",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "outcome", "id"], name="repricing_line_outcomes"),
            models.Index(fields=["lot_id", "-id"], condition=Q(applied_at__isnull=False), name="repricing_line_why"),
        ]

    def __str__(self) -> str:
        return f"{self.price_before} → {self.price_after}"

"""Tenants, their hosts, sign-ups that wait for a code, and what is left of deleted ones: all in the public schema."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django_countries.fields import CountryField

from audit.tracking import history
from common.models import BaseModel
from tenants.choices import Currency, Edition
from tenants.slugs import PATTERN


class Tenant(BaseModel):
    """A shop: its own schema, its own host, its settings.

    Not django_tenants' mixin: that makes and drops schemas when a row is saved or deleted, and refuses to be saved
    where the shop's trail is. tenants.schemas does it, in one transaction and with checks.
    """

    auto_drop_schema = False  # a signal of django_tenants asks

    # Never used again, not even by a later shop of the same slug: tokens name their shop by it.
    schema_name = models.CharField(max_length=63, unique=True, editable=False)
    slug = models.CharField(max_length=63, unique=True, validators=[RegexValidator(PATTERN)])
    name = models.CharField(max_length=120)
    # Validated by tenants.settings_schema.
    settings = models.JSONField(default=dict, blank=True)
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.EUR)
    timezone = models.CharField(max_length=64, default="UTC")
    country = CountryField(default="NL")
    current_version = models.CharField(max_length=4, choices=Edition, default=Edition.LITE)
    has_brikick_store = models.BooleanField(default=False)
    billing_currency = models.CharField(max_length=3, choices=Currency, default=Currency.EUR)
    billing_email = models.EmailField(blank=True)
    stripe_customer_id = models.CharField(max_length=100, blank=True)
    paypal_payer_id = models.CharField(max_length=100, blank=True)
    is_suspended = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspension_reason = models.TextField(blank=True)
    deletion_requested_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Set when the schema is complete; a tenant without it is never routed to.
    ready_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    history = history(exclude=["updated_at"], app="trail")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=PATTERN), name="tenant_slug_is_a_dns_label"),
            models.CheckConstraint(condition=Q(currency__in=Currency.values), name="tenant_currency"),
            models.CheckConstraint(condition=Q(billing_currency__in=Currency.values), name="tenant_billing_currency"),
            models.CheckConstraint(condition=Q(current_version__in=Edition.values), name="tenant_edition"),
            models.CheckConstraint(
                condition=Q(is_suspended=False) | Q(suspended_at__isnull=False), name="tenant_suspended_since"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A host that leads to a tenant; one is primary."""

    domain = models.CharField(max_length=253, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    is_primary = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    history = history(app="trail")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=Q(is_primary=True), name="domain_one_primary"),
            models.CheckConstraint(condition=Q(domain=Lower("domain")), name="domain_lower_case"),
        ]

    def __str__(self) -> str:
        return self.domain


class SignUp(BaseModel):
    """A shop that somebody asked for; becomes a tenant when the code that we mailed comes back. Kept for a day."""

    email = models.EmailField(max_length=254)
    display_name = models.CharField(max_length=120)
    slug = models.CharField(max_length=63, validators=[RegexValidator(PATTERN)])
    name = models.CharField(max_length=120)
    # Hashed from the first moment on; emptied when the user has it.
    password = models.CharField(max_length=128, blank=True)
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.EUR)
    timezone = models.CharField(max_length=64, default="UTC")
    country = CountryField(default="NL")
    code_hash = models.CharField(max_length=64)
    code_count = models.PositiveSmallIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)
    tenant = models.OneToOneField(Tenant, null=True, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.slug


class DeletedTenant(models.Model):
    """What is left of a deleted tenant: that its slug and hosts were taken, so that nobody inherits them at once."""

    schema_name = models.CharField(max_length=63, unique=True)
    slug = models.CharField(max_length=63, db_index=True)
    hosts = ArrayField(models.CharField(max_length=253), default=list)
    deleted_at = models.DateTimeField()
    reusable_at = models.DateTimeField()
    # Until then the shop's files are still being removed.
    files_removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["deleted_at"], condition=Q(files_removed_at__isnull=True), name="deleted_tenant_files"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

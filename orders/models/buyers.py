"""Buyers: one person over all channels, known again by what can't be shared by chance."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from audit.tracking import history
from common.models import VersionedModel
from orders.choices import IdentityKind


class Buyer(VersionedModel):
    """Somebody who bought. `name` and `email` are the newest that an order said; erased ones have neither."""

    name = models.CharField(max_length=200, blank=True)
    email = models.CharField("e-mail", max_length=254, blank=True)
    notes = models.TextField(blank=True)
    last_ordered_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField("erased", null=True, blank=True)

    history = history()

    class Meta:
        indexes = [
            models.Index(fields=["last_ordered_at", "id"], name="buyer_by_last_order"),
            models.Index(Lower("name"), "id", name="buyer_by_name"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(name="", email="", notes=""), name="buyer_erased_is_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.name or ("Erased buyer" if self.erased_at else "Buyer without a name")


class BuyerIdentity(models.Model):
    """An e-mail address or a channel's user name: who has it is that buyer. A name alone never is."""

    id = models.BigAutoField(primary_key=True)
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE, related_name="identities")
    system = models.CharField(max_length=9, choices=IdentityKind)
    # In lower case, as it is compared.
    value = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        verbose_name = "buyer's name on a channel"
        constraints = [
            models.CheckConstraint(condition=Q(system__in=IdentityKind.values), name="buyer_identity_kind"),
            models.CheckConstraint(condition=~Q(value=""), name="buyer_identity_has_value"),
            models.CheckConstraint(condition=Q(value=Lower("value")), name="buyer_identity_lower"),
            models.UniqueConstraint(fields=["value", "system"], name="buyer_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.value}"

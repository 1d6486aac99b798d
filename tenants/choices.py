"""The enumerations of tenants, as stored."""

from django.db import models


class Currency(models.TextChoices):
    """Currencies that a shop can keep its books in."""

    EUR = "EUR", "Euro"
    USD = "USD", "US dollar"
    GBP = "GBP", "Pound sterling"


class Edition(models.TextChoices):
    """What a shop has chosen (product.md, editions)."""

    LITE = "lite", "Lite"
    FULL = "full", "Full"

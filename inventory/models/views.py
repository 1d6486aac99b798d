"""Saved views of lists: a name for a state of a URL."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from audit.tracking import history
from common.models import BaseModel


class ListPage(models.TextChoices):
    """The lists that views are kept of."""

    LOTS = "lots", "Inventory"
    ORDERS = "orders", "Orders"


class SavedView(BaseModel):
    """A list's filters, sort and columns under a name: its owner's, or the whole team's."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=10, choices=ListPage, default=ListPage.LOTS, db_default=ListPage.LOTS)
    name = models.CharField(max_length=60)
    # The query string of the list, without paging.
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)

    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_name"),
            models.CheckConstraint(condition=Q(page__in=ListPage.values), name="saved_view_page"),
            models.UniqueConstraint(
                "owner",
                "page",
                Lower("name"),
                name="saved_view_name",
                violation_error_message="You have a view of that name.",
            ),
            models.UniqueConstraint(fields=["owner", "page"], condition=Q(is_default=True), name="saved_view_default"),
        ]

    def __str__(self) -> str:
        return self.name

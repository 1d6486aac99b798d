"""Notifications over HTTP, for the extension's badge and its pop-ups."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request

from common import workspace
from common.access import SIGNED_IN
from common.api.operations import operation
from common.api.views import ApiView
from notifications import queries, services
from notifications.models import Notification
from notifications.queries import Reader
from notifications.serializers import NotificationQuery, NotificationRow, ReadAllResult


class NotificationsView(ApiView):
    """What one is told: one's own, and everybody's that one's permissions cover."""

    access = {"GET": SIGNED_IN}
    public_api = ()

    @operation("List notifications", answers=NotificationRow, query=NotificationQuery, ordering=("-created_at",))
    def get(self, _request: Request) -> HttpResponse:
        """Answer what wasn't dismissed, newest first."""
        me, wanted = Reader.present(), self.query_filters
        found = queries.unread(me) if wanted.get("unread") else queries.listed(me)
        if "type" in wanted:
            found = found.filter(type=wanted["type"])
        return self.page(found, as_rows=lambda rows: _rows(rows, me))


class NotificationReadView(ApiView):
    """A notification, read."""

    access = {"POST": SIGNED_IN}
    public_api = ()

    @operation("Mark a notification read")
    def post(self, _request: Request, notification_id: UUID) -> HttpResponse:
        """Note that the caller has read it."""
        me = Reader.present()
        found = queries.get_addressed(notification_id, me)
        services.mark_read(notification_ids=[found.pk], reader=me, now=timezone.now())
        return self.answer()


class NotificationDismissView(ApiView):
    """A notification, dismissed."""

    access = {"POST": SIGNED_IN}
    public_api = ()

    @operation("Dismiss a notification")
    def post(self, _request: Request, notification_id: UUID) -> HttpResponse:
        """Take it off the caller's list; others keep it."""
        services.dismiss(notification_id=notification_id, reader=Reader.present(), now=timezone.now())
        return self.answer()


class NotificationsReadAllView(ApiView):
    """All notifications, read."""

    access = {"POST": SIGNED_IN}
    public_api = ()

    @operation("Mark all notifications read", answers=ReadAllResult)
    def post(self, _request: Request) -> HttpResponse:
        """Note that the caller has read everything up to now."""
        return self.answer({"read": services.mark_all_read(reader=Reader.present(), now=timezone.now())})


def _rows(notifications: Sequence[Notification], me: Reader) -> list[dict[str, Any]]:
    url = workspace.current().url
    return [
        {
            "id": row.id,
            "type": row.type,
            "title": row.title,
            "body": row.body,
            "action_url": f"{url}{row.action_url}" if row.action_url else "",
            "action_label": row.action_label if row.action_url else "",
            "is_read": row.is_read,
            "created_at": row.created_at,
        }
        for row in queries.rows_of(list(notifications), me)
    ]


api_urlpatterns = [
    path("notifications", NotificationsView.as_view(), name="notifications"),
    path("notifications/read-all", NotificationsReadAllView.as_view(), name="notifications-read-all"),
    path("notifications/<uuid:notification_id>/read", NotificationReadView.as_view(), name="notification-read"),
    path("notifications/<uuid:notification_id>/dismiss", NotificationDismissView.as_view(), name="notification-gone"),
]

"""How the API shows notifications."""

from common.api import serializers
from notifications.choices import NotificationType


class NotificationRow(serializers.Serializer):
    """Something that happened by itself."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=NotificationType.choices)
    title = serializers.CharField()
    body = serializers.CharField()
    action_url = serializers.CharField(help_text="Where it leads; empty where it leads nowhere.")
    action_label = serializers.CharField()
    is_read = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class NotificationQuery(serializers.QuerySerializer):
    """Filters of the list of notifications."""

    unread = serializers.BooleanField(required=False, help_text="Only those that weren't read.")
    type = serializers.ChoiceField(choices=NotificationType.choices, required=False)


class ReadAllResult(serializers.Serializer):
    """What became of it."""

    read = serializers.IntegerField(help_text="How many were unread.")

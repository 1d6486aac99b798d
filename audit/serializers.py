"""The trail and its reverts as the API takes and answers them."""

from typing import Any

from rest_framework.serializers import JSONField

from audit.models import Source
from audit.reverters import Way
from audit.services import State
from common.actor import ActorKind
from common.api import serializers

_ID_LENGTH = 100
_MOST_DECISIONS = 1000


class ChangeRow(serializers.Serializer):
    """A column that differs between before and after."""

    field = serializers.CharField()
    old = JSONField(allow_null=True)
    new = JSONField(allow_null=True)


class _Who(serializers.Serializer):
    """Who acted, when, from where, and why."""

    actor_type = serializers.ChoiceField(choices=[kind.value for kind in ActorKind])
    actor_id = serializers.CharField(allow_blank=True, help_text="Empty for the system.")
    actor_name = serializers.CharField(help_text="As it was then.")
    action = serializers.CharField(help_text="`app.verb_object`")
    reason = serializers.CharField(allow_blank=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # DRF's fields have one too
    correlation_id = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    ip_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class EntryRow(_Who):
    """One change of one entity."""

    id = serializers.CharField()
    change_set_id = serializers.UUIDField(help_text="What was changed together, and can be reverted together.")
    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    before_state = serializers.DictField(allow_null=True, help_text="Null if the entity was created by this.")
    after_state = serializers.DictField(allow_null=True, help_text="Null if the entity was deleted by this.")
    changes = ChangeRow(many=True)
    reverts = serializers.UUIDField(allow_null=True, help_text="The change set that this one takes back.")


class ChangeSetAnswer(_Who):
    """A change set with what it did, in the order in which it was done."""

    id = serializers.UUIDField()
    summary = serializers.CharField()
    reverts = serializers.UUIDField(allow_null=True, help_text="The change set that this one takes back.")
    reverted_by = serializers.ListField(
        child=serializers.UUIDField(), help_text="The change sets that took this one back."
    )
    entries = EntryRow(many=True)
    has_more = serializers.BooleanField(
        help_text="There are more entries than are listed here: `GET /audit?change_set_id=`"
    )


class AuditQuery(serializers.QuerySerializer):
    """What the log is narrowed to."""

    entity_type = serializers.CharField(required=False, max_length=_ID_LENGTH, help_text="For example `User`.")
    entity_id = serializers.CharField(required=False, max_length=_ID_LENGTH)
    field = serializers.CharField(required=False, max_length=_ID_LENGTH, help_text="Only where this field was changed.")
    change_set_id = serializers.UUIDField(required=False)
    actor_type = serializers.ChoiceField(choices=[kind.value for kind in ActorKind], required=False)
    actor_id = serializers.CharField(required=False, max_length=_ID_LENGTH)
    action = serializers.CharField(required=False, max_length=_ID_LENGTH)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # as above
        choices=Source.choices, required=False
    )
    correlation_id = serializers.CharField(required=False, max_length=_ID_LENGTH)
    since = serializers.DateTimeField(required=False, help_text="From this moment on.")
    until = serializers.DateTimeField(required=False, help_text="Before this moment.")


class DecisionInput(serializers.Serializer):
    """A conflict that goes back all the same."""

    entity_type = serializers.CharField(max_length=_ID_LENGTH)
    entity_id = serializers.CharField(max_length=_ID_LENGTH)
    field = serializers.CharField(
        max_length=_ID_LENGTH, required=False, default="", allow_blank=True, help_text="Empty: the entity as a whole."
    )


class RevertInput(serializers.Serializer):
    """What to put back: all of the change set, or one entity of it."""

    dry_run = serializers.BooleanField(default=False, help_text="Answer what would be done, and do nothing.")
    entity_type = serializers.CharField(required=False, max_length=_ID_LENGTH)
    entity_id = serializers.CharField(required=False, max_length=_ID_LENGTH)
    decisions = DecisionInput(many=True, required=False, default=list, max_length=_MOST_DECISIONS)  # type: ignore[call-arg]  # a list's

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("entity_type" in attrs) != ("entity_id" in attrs):
            raise serializers.ValidationError({"entity_id": ["Name both entity_type and entity_id, or neither."]})
        return attrs


class RevertField(serializers.Serializer):
    """A field with its three values: before the change, by it, and now."""

    field = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    before = JSONField(allow_null=True)
    after = JSONField(allow_null=True)
    now = JSONField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class RevertEntity(serializers.Serializer):
    """What the revert means for one entity."""

    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    name = serializers.CharField()
    way = serializers.ChoiceField(choices=[way.value for way in Way])
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.CharField(allow_blank=True, help_text="Why it can't be put back.")
    counter_action = serializers.CharField(allow_blank=True, help_text="What can be done instead.")
    fields_ = RevertField(many=True)

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class RevertAnswer(serializers.Serializer):
    """What a revert did, or with `dry_run` would do."""

    dry_run = serializers.BooleanField()
    job_id = serializers.UUIDField(
        allow_null=True, help_text="The job that does it, or looks at it, where there is too much for one answer."
    )
    change_set_id = serializers.UUIDField(
        allow_null=True, help_text="The revert's own change set; null for a dry run, and for a job."
    )
    reverted = serializers.IntegerField(help_text="Entities that went back, or would.")
    conflicts = serializers.IntegerField(help_text="Entities that were changed since; left unless decided.")
    impossible = serializers.IntegerField(help_text="Entities that can't be put back.")
    entities = RevertEntity(many=True, help_text="For a dry run all there is to say, up to 200; else what was refused.")

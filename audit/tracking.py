"""Makes a model's rows leave a history: `history = history()` in its class is all it takes."""

from collections.abc import Sequence
from functools import wraps
from typing import Any

from django.db import models, transaction
from simple_history.models import HistoricalRecords

from audit.models import HistoryRow


def _nobody(*_args: Any, **_kwargs: Any) -> None:
    """The change set says who; simple-history's own user column stays empty."""


class UnseenWriteError(RuntimeError):
    """Rows of a tracked model were to be written in a way that leaves no history; audit.bulk has one that does."""


class _SeenWrites(models.QuerySet[Any]):
    """A queryset that refuses what Django writes without telling anybody (stack.md, trap 15)."""

    def _refuse(self, *_args: Any, **_kwargs: Any) -> int:
        raise UnseenWriteError(f"This would leave no history of {self.model.__name__}; use audit.bulk.")

    update = _refuse
    bulk_update = _refuse
    bulk_create = _refuse  # type: ignore[assignment]  # whatever it would have answered


def _guard(manager: "models.Manager[Any]") -> None:
    """Have the manager, and those of relations made after it, hand out querysets that refuse unseen writes."""
    own, rows = type(manager), manager._queryset_class  # type: ignore[attr-defined]  # set by every manager's class
    guarded = type(rows.__name__, (_SeenWrites, rows), {})
    manager.__class__ = type(own.__name__, (own,), {"_queryset_class": guarded, "__module__": own.__module__})


class Tracking(HistoricalRecords):  # type: ignore[misc]  # simple-history has no types
    """simple-history's models and tables, written from the database's rows and not from an instance's memory.

    An instance may hold values that were never saved (`update_fields`) or that somebody else has changed meanwhile.
    """

    def add_extra_methods(self, cls: type[models.Model]) -> None:
        """Save row and history in one transaction. simple-history's way to save without history is left out."""
        save_base = cls.save_base

        @wraps(save_base)
        def save_base_with_history(instance: models.Model, *args: Any, **kwargs: Any) -> None:
            with transaction.atomic(using=kwargs.get("using"), savepoint=False):
                save_base(instance, *args, **kwargs)

        cls.save_base = save_base_with_history  # type: ignore[method-assign, assignment]  # the one place that every save passes

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Guard the model's managers, once it is complete."""
        super().finalize(sender, **kwargs)
        if sender is self.cls:
            for manager in sender._meta.local_managers:
                _guard(manager)
            sender._meta._expire_cache()  # the managers are copied from the local ones

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """Copy the fields without their indexes: history is looked up by entity and by change set only."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            field.db_index = False
        return fields

    @property
    def _date_indexing(self) -> bool:
        return False

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Index the two ways in which history is read."""
        options: dict[str, Any] = super().get_meta_options(model)
        assert model._meta.pk is not None  # noqa: S101  # every table has a key
        options["indexes"] = [
            models.Index(fields=["change_set", "history_id"]),
            models.Index(fields=[model._meta.pk.name, "history_id"]),
        ]
        return options

    def post_save(self, instance: models.Model, created: bool, **_kwargs: Any) -> None:  # noqa: FBT001  # the signal's signature
        from audit import recording  # noqa: PLC0415  # models load before what reads them

        recording.record_present(type(instance), instance.pk, kind=recording.CREATED if created else recording.CHANGED)

    def pre_delete(self, instance: models.Model, **_kwargs: Any) -> None:
        """Record while the row is still there to be read."""
        from audit import recording  # noqa: PLC0415  # as above

        recording.record_present(type(instance), instance.pk, kind=recording.DELETED)

    def post_delete(self, instance: models.Model, **_kwargs: Any) -> None:
        """Nothing is left to do."""


def history(*, exclude: Sequence[str] = (), app: str | None = None) -> Tracking:
    """Answer the history of a model. `exclude`: secrets and noise that must not be kept. `app`: label of the app that
    holds the table, for models whose history lives in another schema than they do."""
    return Tracking(
        bases=[HistoryRow],
        excluded_fields=list(exclude),
        app=app,
        history_id_field=models.BigAutoField(),
        history_user_id_field=models.UUIDField(null=True),
        history_user_getter=_nobody,
        history_user_setter=_nobody,
        get_user=_nobody,
        cascade_delete_history=False,
    )

"""What can be done to saved views of a list: save, change, delete, each by its owner."""

from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common.errors import Invalid, NotFound
from inventory.models import ListPage, SavedView

_NAME_LENGTH, _QUERY_LENGTH = 60, 2000


@transaction.atomic
def save_view(
    *, owner_id: UUID, name: str, query: str, is_shared: bool = False, is_default: bool = False,
    view_id: UUID | None = None, page: str = ListPage.LOTS,
) -> SavedView:  # fmt: skip
    """Keep a state of the list under a name. Raises Invalid where the owner has a view of that name."""
    context.describe("inventory.save_view")
    view = SavedView(owner_id=owner_id, page=page, query=query, is_shared=is_shared)
    if view_id:
        view.id = view_id
    if len(query) > _QUERY_LENGTH:
        raise Invalid(errors={"": ["These filters are too long to be kept."]})
    _name(view, name)
    if is_default:
        _take_default(owner_id, page)
        view.is_default = True
    view.save(force_insert=True)
    return view


@transaction.atomic
def update_view(
    *, view_id: UUID, owner_id: UUID, name: str, is_shared: bool, is_default: bool, query: str | None = None
) -> SavedView:
    """Rename a view, share it or keep it to oneself, make it the one that opens first. Raises Invalid, NotFound."""
    context.describe("inventory.update_view")
    view = _own(view_id, owner_id)
    _name(view, name)
    if is_default and not view.is_default:
        _take_default(owner_id, view.page)
    view.is_shared, view.is_default = is_shared, is_default
    if query is not None:
        view.query = query[:_QUERY_LENGTH]
    view.save()
    return view


@transaction.atomic
def delete_view(*, view_id: UUID, owner_id: UUID) -> str:
    """Forget a view; answer its name. Raises NotFound."""
    context.describe("inventory.delete_view")
    view = _own(view_id, owner_id)
    name = view.name
    view.delete()
    return name


def _own(view_id: UUID, owner_id: UUID) -> SavedView:
    view = SavedView.objects.select_for_update().filter(pk=view_id, owner_id=owner_id).first()
    if view is None:
        raise NotFound
    return view


def _name(view: SavedView, name: str) -> None:
    view.name = name.strip()
    if not 0 < len(view.name) <= _NAME_LENGTH:
        raise Invalid(errors={"/name": [f"A name of 1 to {_NAME_LENGTH} characters."]})
    others = SavedView.objects.filter(owner_id=view.owner_id, page=view.page, name__iexact=view.name).exclude(
        pk=view.pk
    )
    if others.exclude(pk=view.pk).exists():
        raise Invalid(errors={"/name": ["You have a view of that name."]})


def _take_default(owner_id: UUID, page: str) -> None:
    bulk.update(SavedView.objects.filter(owner_id=owner_id, page=page, is_default=True), is_default=False)

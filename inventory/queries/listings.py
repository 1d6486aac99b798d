"""Which lots a store's listings are of."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import F

from inventory.models import InventoryItem


def lots_of_listings(
    store_id: UUID, external_lot_ids: Collection[str], *, only: Collection[str]
) -> Mapping[str, InventoryItem]:
    """Answer the lots by the store's numbers, with those of their fields; a listing without a lot is left out.

    One query.
    """
    found = InventoryItem.objects.filter(
        listings__store=store_id, listings__external_lot_id__in=set(external_lot_ids)
    ).annotate(listed_as=F("listings__external_lot_id"))
    return {str(lot.listed_as): lot for lot in found.only(*only)}

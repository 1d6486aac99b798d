"""What shops offer for everybody's dictionary: said, taken back, and accepted or rejected by our staff.

A shop never writes the dictionary itself. What it says is counted beside what others say, by a hash that names nobody.
"""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.crypto import salted_hmac

from catalog.choices import ItemType, OfferStatus, Source, System
from catalog.importing import dictionary
from catalog.models import CatalogExternalId, CatalogItem, MappingOffer, MappingVoice
from common import workspace
from common.errors import Conflict, NotFound

# BrickLink's numbers are the catalog's own: what a shop calls differently there is its own affair.
_OFFERED = frozenset(System.values) - {System.BRICKLINK}
_CERTAIN = Decimal(1)


@transaction.atomic
def offer_mapping(
    *, system: str, external_id: str, item_type: str, item_no: str, now: datetime, external_color: str = "",
    color_id: int | None = None,
) -> bool:  # fmt: skip
    """Offer to our staff what the present shop says that a number means, instead of what it said before.

    Answer whether it is one for everybody: custom items, and items that the catalog doesn't know, are the shop's alone.
    """
    withdraw_mapping(system=system, external_id=external_id, external_color=external_color)
    if system not in _OFFERED or item_type == ItemType.CUSTOM or _item(item_type, item_no) is None:
        return False
    offer, _ = MappingOffer.objects.get_or_create(
        system=system, external_id=external_id, external_color=external_color, item_type=item_type, item_no=item_no,
        color_id=color_id, defaults={"first_at": now, "last_at": now},
    )  # fmt: skip
    MappingOffer.objects.filter(pk=offer.pk, last_at__lt=now).update(last_at=now)
    MappingVoice.objects.get_or_create(offer=offer, shop=_shop())
    return True


@transaction.atomic
def withdraw_mapping(*, system: str, external_id: str, external_color: str = "") -> None:
    """Take back what the present shop says that a number means; what nobody says any more needn't be looked at."""
    offers = MappingOffer.objects.filter(system=system, external_id=external_id, external_color=external_color)
    MappingVoice.objects.filter(offer__in=offers, shop=_shop()).delete()
    offers.filter(status=OfferStatus.WAITING, voices=None).delete()


@transaction.atomic
def withdraw_all_mappings() -> None:
    """Take back all that the present shop says: for a shop that goes."""
    MappingVoice.objects.filter(shop=_shop()).delete()
    MappingOffer.objects.filter(status=OfferStatus.WAITING, voices=None).delete()


@transaction.atomic
def accept_offer(*, offer_id: int, decided_by: str, now: datetime) -> MappingOffer:
    """Take an offer into the dictionary, for every shop. Raises NotFound, Conflict where the catalog lacks the item."""
    offer = _locked(offer_id)
    item = _item(offer.item_type, offer.item_no)
    if item is None:
        raise Conflict(f"The catalog doesn't know {offer.item_no} any more.")
    CatalogExternalId.objects.update_or_create(
        item=item, system=offer.system, external_id=offer.external_id,
        defaults={"source": Source.MANUAL, "confidence": _CERTAIN},
    )  # fmt: skip
    dictionary.refresh([item.pk])
    return _decide(offer, OfferStatus.ACCEPTED, decided_by=decided_by, now=now)


@transaction.atomic
def reject_offer(*, offer_id: int, decided_by: str, now: datetime) -> MappingOffer:
    """Leave an offer out of the dictionary, and out of it what was accepted before. Raises NotFound."""
    offer = _locked(offer_id)
    if offer.status == OfferStatus.ACCEPTED:
        item = _item(offer.item_type, offer.item_no)
        CatalogExternalId.objects.filter(
            item=item, system=offer.system, external_id=offer.external_id, source=Source.MANUAL
        ).delete()
        if item is not None:
            dictionary.refresh([item.pk])
    return _decide(offer, OfferStatus.REJECTED, decided_by=decided_by, now=now)


def _decide(offer: MappingOffer, status: OfferStatus, *, decided_by: str, now: datetime) -> MappingOffer:
    offer.status, offer.decided_by, offer.decided_at = status, decided_by[:200], now
    offer.save(update_fields=["status", "decided_by", "decided_at"])
    return offer


def _item(item_type: str, item_no: str) -> CatalogItem | None:
    return CatalogItem.objects.filter(item_type=item_type, item_no=item_no, is_provisional=False).first()


def _locked(offer_id: int) -> MappingOffer:
    offer = MappingOffer.objects.select_for_update().filter(pk=offer_id).first()
    if offer is None:
        raise NotFound("This offer was taken back.")
    return offer


def _shop() -> str:
    return salted_hmac("catalog.offers", workspace.current_key()).hexdigest()

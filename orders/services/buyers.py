"""Who bought: found again by e-mail address or a channel's user name, never by name alone."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common.errors import Conflict, Invalid, NotFound
from orders.choices import IdentityKind
from orders.models import Buyer, BuyerIdentity, Order
from orders.services.checks import TEXT_LENGTH
from orders.services.holding import hold_name, lock_orders

_VALUE_LENGTH = 254


def identities_of(*, channel: str, email: str, username: str) -> list[tuple[str, str]]:
    """Answer by what a buyer is known, the surest first."""
    found = []
    if channel in IdentityKind.values and (name := username.strip().lower()):
        found.append((channel, name[:_VALUE_LENGTH]))
    if "@" in email:
        found.append((IdentityKind.EMAIL.value, email.strip().lower()[:_VALUE_LENGTH]))
    return found


def find_or_make_buyer(*, channel: str, name: str, email: str, username: str, ordered_at: datetime) -> Buyer | None:
    """Answer whose order it is, with what it says newly of them; None where it says nothing by which one is known.

    Where user name and address are those of two buyers, the user name counts. Inside a transaction.
    """
    known = identities_of(channel=channel, email=email, username=username)
    if not known:
        return None
    hold_name(*(f"{kind}:{value}" for kind, value in known))
    found = {
        (row.system, row.value): row.buyer_id
        for row in BuyerIdentity.objects.filter(value__in=[value for _kind, value in known])
    }
    buyer_id = next((found[pair] for pair in known if pair in found), None)
    buyer = Buyer.objects.select_for_update(no_key=True).get(pk=buyer_id) if buyer_id else Buyer()
    is_newest = buyer.last_ordered_at is None or ordered_at >= buyer.last_ordered_at
    before = (buyer.name, buyer.email, buyer.last_ordered_at)
    if is_newest:
        buyer.name, buyer.email, buyer.last_ordered_at = name or buyer.name, email or buyer.email, ordered_at
    # Who orders again after having been erased is a customer again.
    was_erased, buyer.erased_at = buyer.erased_at, None
    if buyer_id is None:
        bulk.bulk_create(Buyer, [buyer])
    elif before != (buyer.name, buyer.email, buyer.last_ordered_at) or was_erased:
        bulk.bulk_update(Buyer, [buyer], fields=["name", "email", "last_ordered_at", "erased_at"], rising=["version"])
        buyer.version += 1
    new = [pair for pair in known if pair not in found]
    bulk.bulk_create(BuyerIdentity, [BuyerIdentity(buyer=buyer, system=kind, value=value) for kind, value in new])
    return buyer


def lock_buyers(buyer_ids: Iterable[UUID]) -> list[Buyer]:
    """Hold buyers, in the order of their keys. Raises NotFound."""
    wanted = set(buyer_ids)
    found = list(Buyer.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))
    if len(found) < len(wanted):
        raise NotFound("There is no such buyer.")
    return found


@transaction.atomic
def merge_buyers(*, buyer_id: UUID, other_id: UUID) -> Buyer:
    """Say that two buyers are one person: the first keeps its notes and gets the other's orders, names and notes.

    Raises NotFound; Conflict where one was erased or both are the same.
    """
    context.describe("orders.merge_buyers")
    if buyer_id == other_id:
        raise Conflict("These are the same buyer already.")
    held = {buyer.pk: buyer for buyer in lock_buyers([buyer_id, other_id])}
    kept, other = held[buyer_id], held[other_id]
    if kept.erased_at or other.erased_at:
        raise Conflict("A buyer whose personal data was deleted can't be merged.")
    lock_orders(list(Order.objects.filter(buyer=other).values_list("pk", flat=True)))
    bulk.update(Order.objects.filter(buyer=other), buyer_id=kept.pk)
    bulk.update(BuyerIdentity.objects.filter(buyer=other), buyer_id=kept.pk)
    newer = max(
        (kept, other), key=lambda each: (each.last_ordered_at is not None, each.last_ordered_at or each.created_at)
    )
    kept.name, kept.email = newer.name or kept.name, newer.email or kept.email
    kept.last_ordered_at = newer.last_ordered_at
    kept.notes = "\n\n".join(text for text in (kept.notes, other.notes) if text)[:TEXT_LENGTH]
    kept.version += 1
    kept.save()
    other.delete()
    return kept


@transaction.atomic
def set_buyer_notes(*, buyer_id: UUID, notes: str) -> Buyer:
    """Keep what is to be remembered of a buyer. Raises Invalid, NotFound; Conflict where it was erased."""
    context.describe("orders.set_buyer_notes")
    [buyer] = lock_buyers([buyer_id])
    if buyer.erased_at:
        raise Conflict("This buyer's personal data was deleted. Nothing is kept of them but their orders' figures.")
    if len(notes) > TEXT_LENGTH or "\x00" in notes:
        raise Invalid(errors={"/notes": [f"At most {TEXT_LENGTH:,} characters."]})
    if notes.strip() != buyer.notes:
        buyer.notes = notes.strip()
        buyer.version += 1
        buyer.save()
    return buyer

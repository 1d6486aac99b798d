"""A plan takes no more calls than it must (performance.md, P15), by the channel's own count."""

from collections import Counter

import pytest
from django.utils import timezone

from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.services.many import Action as LotAction
from inventory.testing import make_lot
from sync.choices import RunStatus
from sync.tests.running import carry_out, local, plan
from sync.tests.sellers import Seller, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]

_UPDATES, _REMOVALS = 3, 2
_PARTS = ("3001", "3003", "3004", "3005", "3010")


def emptied(sandbox: SandboxProcess, code: str) -> Seller:
    seller = Seller(sandbox, code)
    for row in sandbox.control("GET", f"sellers/{seller.id}/lots"):
        sandbox.control("DELETE", f"sellers/{seller.id}/lots/{row['id']}")
    return seller


def stock_calls(seller: Seller) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in seller.sandbox.control("GET", "counts"):
        if row["service"] == seller.code and "order/" not in row["path"] and "/orders" not in row["path"]:
            found[f"{row['method']} {row['path'].rstrip('/').partition('v1/')[2]}"] += row["count"]
    return found


def drift(seller: Seller) -> None:
    """Change some lots that both have by several fields each, and delete some."""
    lots = [seller.listed(qty=10, no=number)[0] for number in _PARTS]
    for lot in lots[:_UPDATES]:
        wish = inventory.Wish(
            action=LotAction.UPDATE, lot_id=lot.pk, version=lot.version,
            values={"qty_available": 7, "remarks": "B-12", "description": "shiny"},
        )  # fmt: skip
        inventory.change_lots(wishes=[wish], all_or_nothing=True, now=timezone.now())
    inventory.delete_lots(lot_ids=[lot.pk for lot in lots[_UPDATES:]], now=timezone.now())


@pytest.mark.parametrize("adds", [0, 1, 3])
def test_bricklink_is_asked_once_for_each_change_and_by_a_list_for_new_lots(sandbox: SandboxProcess, adds: int) -> None:
    seller = emptied(sandbox, "bricklink")
    drift(seller)
    new = [make_lot(qty=5, item_no="3020", color_id=color) for color in (1, 5, 11)[:adds]]
    before = stock_calls(seller)
    run = plan(local(), seller.store)
    assert stock_calls(seller).total() - before.total() == 1
    run = carry_out(run, confirmed=_REMOVALS)
    assert run.status == RunStatus.COMPLETED, run.error_message
    # A list of new lots is answered without numbers, which are read by one call more.
    for_adds = {0: 0, 1: 1, 3: 2}[adds]
    asked = stock_calls(seller)
    assert asked.total() - before.total() == 1 + for_adds + _UPDATES + _REMOVALS, asked - before
    assert sorted(seller.there().values()) == sorted([7] * _UPDATES + [5] * len(new))
    assert all(qty_of(lot.pk) == (5, 0) for lot in new)


def test_brick_owl_is_asked_by_one_batch_for_all_changes(sandbox: SandboxProcess) -> None:
    seller = emptied(sandbox, "brickowl")
    drift(seller)
    before = stock_calls(seller)
    run = carry_out(plan(local(), seller.store), confirmed=_REMOVALS)
    assert run.status == RunStatus.COMPLETED, run.error_message
    asked = stock_calls(seller)
    assert asked.total() - before.total() == 2, asked - before
    assert list(seller.there().values()) == [7] * _UPDATES

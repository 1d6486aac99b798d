"""A shop with a store on an imitated marketplace: both sides' lots, buyers who order, and what each side has then."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from audit import bulk
from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from inventory.models import InventoryExternalId, InventoryItem
from inventory.services import verify_stock
from inventory.testing import make_lot
from orders.models import Order
from stores import services as stores
from stores.models import Store
from sync.models import ListingState
from sync.queries.meanings import meanings_of
from sync.services import connect
from sync.states import as_json

CODES = ("bricklink", "brickowl", "brikick")


def credentials_of(sandbox: SandboxProcess, code: str) -> dict[str, str]:
    """Answer what opens the demo's seller there."""
    return {
        "bricklink": dict(sandbox.bricklink_credentials), "brickowl": {"key": sandbox.brickowl_key},
        "brikick": {"api_key": sandbox.brikick_key},
    }[code]  # fmt: skip


def url_of(sandbox: SandboxProcess, code: str) -> str:
    """Answer where the service is imitated."""
    urls = {"bricklink": sandbox.bricklink_url, "brickowl": sandbox.brickowl_url, "brikick": sandbox.brikick_url}
    return urls[code]


@dataclass
class Seller:
    """Our store, and the seller there."""

    sandbox: SandboxProcess
    code: str
    store: Store = field(init=False)
    id: int = field(init=False)

    def __post_init__(self) -> None:
        client().flushdb()
        rows = self.sandbox.control("GET", "sellers")
        self.id = next(row["id"] for row in rows if row["service"] == self.code)
        if self.code == "brikick":
            generous = {"per_minute": 100_000, "per_day": 1_000_000}
            self.sandbox.control("PATCH", f"sellers/{self.id}", {"settings": generous})
        self.store = stores.create_store(
            channel=self.code, name=f"Demo on {self.code}", credentials=credentials_of(self.sandbox, self.code),
            base_url=url_of(self.sandbox, self.code), settings={"currency": "EUR"}, now=timezone.now(),
        )  # fmt: skip
        # It has been there for a while.
        self.change(created_at=F("created_at") - timedelta(days=1))

    def change(self, **values: Any) -> None:
        """Change columns of the store that no service changes."""
        bulk.update(Store.objects.filter(pk=self.store.pk), **values)
        self.store.refresh_from_db()

    def put(self, **lot: Any) -> str:
        """Put a lot on the channel; answer its number there."""
        graded = {"grade": "new"} if self.code == "brickowl" else {}
        values = {"type": "PART", "no": "3001", "color_id": 5, "quantity": 10, "price": 1200, **graded, **lot}
        return str(self.sandbox.control("POST", f"sellers/{self.id}/lots", {"lots": [values]})["ids"][0])

    def listed(self, *, qty: int = 10, **lot: Any) -> tuple[InventoryItem, str]:
        """Answer a lot of ours that is listed there, with its number there; both sides agree."""
        number = self.put(quantity=qty, **lot)
        channel = connect(self.store.pk, call_class="urgent")  # type: ignore[arg-type]
        remote = channel.fetch_lot(number)
        assert remote is not None
        meaning = meanings_of(self.code, {remote.item})[remote.item]
        ours = make_lot(
            qty=qty, item_type=meaning.item_type or "PART", item_no=meaning.item_no or lot.get("no", "3001"),
            color_id=5 if meaning.color_id is None else meaning.color_id,
        )  # fmt: skip
        self.list(ours, number)
        return ours, number

    def list(self, ours: InventoryItem, number: str) -> InventoryExternalId:
        """Have a lot of ours be the one of that number there, and both agree on it since an hour ago."""
        remote = connect(self.store.pk, call_class="urgent").fetch_lot(number)  # type: ignore[arg-type]
        assert remote is not None
        listing = InventoryExternalId.objects.create(
            inventory_item=ours, store=self.store, external_lot_id=number, base=as_json(remote.state)
        )
        read_at = timezone.now() - timedelta(hours=1)
        ListingState.objects.create(listing=listing, store=self.store, read_at=read_at)
        return listing

    def order(self, *lines: tuple[str, int], **command: Any) -> str:
        """Have a buyer order so many of lots."""
        wanted = [{"lot_id": int(number), "quantity": qty} for number, qty in lines]
        made = self.sandbox.control("POST", f"sellers/{self.id}/orders", {"lines": wanted, **command})
        return str(made["id"])

    def buyer(self, order_id: str, action: str, **more: Any) -> None:
        """Have the buyer do something with an order."""
        self.sandbox.control("POST", f"orders/{order_id}/buyer", {"action": action, **more})

    def there(self) -> dict[str, int]:
        """Answer how many pieces each lot has there, by the channel's own books."""
        rows = self.sandbox.control("GET", f"sellers/{self.id}/lots")
        return {str(row["id"]): int(row["quantity"]) for row in rows}

    def status(self, order_id: str) -> str:
        """Answer where an order stands there."""
        return str(self.sandbox.control("GET", f"orders/{order_id}")["status"])

    def base(self, number: str) -> int:
        """Answer what we believe that a lot there has."""
        return int(InventoryExternalId.objects.get(store=self.store, external_lot_id=number).base["qty"])

    def must_read(self, number: str) -> bool:
        """Tell whether a lot is to be read before anything is sent."""
        return ListingState.objects.filter(store=self.store, listing__external_lot_id=number, must_read=True).exists()


def qty_of(lot_id: UUID) -> tuple[int, int]:
    """Answer how many pieces of a lot are available and reserved."""
    return InventoryItem.objects.values_list("qty_available", "qty_reserved").get(pk=lot_id)


def check_books() -> None:
    """Pass where stock adds up: movements, places, nothing below zero."""
    assert verify_stock() == []


def order_numbered(number: str) -> Order:
    """Answer an order by its number there."""
    return Order.objects.get(external_order_id=number)

"""Where the public documents leave open what happens, a named switch: the first value is the default."""

import threading
from collections.abc import Mapping

CHOICES: Mapping[str, tuple[str, ...]] = {
    # BrickLink
    "bl.strict_http_status": ("no", "yes"),
    "bl.content_type": ("text/html;charset=utf-8", "application/json;charset=utf-8"),
    "bl.unknown_item": ("400", "404"),
    "bl.no_mapping": ("empty", "404"),
    "bl.image_scheme": ("none", "https"),
    "bl.delete_answer": ("204", "envelope"),
    "bl.single_array_returns": ("none", "lot"),
    "bl.below_zero": ("refuse", "floor"),
    "bl.unsigned_quantity": ("refuse", "delta"),
    "bl.int_quantity": ("delta", "refuse"),
    "bl.bulk_partial": ("all_or_nothing", "keep_good"),
    "bl.zero_quantity": ("retained", "refuse", "any"),
    "bl.purged_items": ("404", "empty"),
    "bl.coupon_redeemed": ("A", "S"),
    "bl.sales_tax_name": ("salesTax_collected_by_BL", "salesTax"),
    # Brick Owl
    "bo.error_shape": ("object", "string"),
    "bo.error_http": ("4xx", "200"),
    "bo.single_lot": ("array", "object"),
    "bo.batch_shape": ("array", "responses"),
    "bo.price_meaning": ("base", "final"),
    "bo.cancel_restocks": ("yes", "no"),
    "bo.batch_strict": ("no", "yes"),
    "bo.retry_after": ("seconds", "none"),
    "bo.below_zero": ("refuse", "floor"),
    "bo.fresh_totals": ("filled", "null"),
    "bo.null_text": ("no", "yes"),
}


class UnknownSwitchError(ValueError):
    """No such switch, or no such value; the text says which there are."""


class Switches:
    """How the switches stand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        with self._lock:
            return self._set.get(name, CHOICES[name][0])

    def set(self, wanted: Mapping[str, str]) -> None:
        """Turn some; raises UnknownSwitchError, and then turns none."""
        for name, value in wanted.items():
            if name not in CHOICES:
                raise UnknownSwitchError(f"unknown switch '{name}', expected one of {', '.join(CHOICES)}")
            if value not in CHOICES[name]:
                raise UnknownSwitchError(f"'{name}' is one of {', '.join(CHOICES[name])}")
        with self._lock:
            self._set.update(wanted)

    def clear(self) -> None:
        """Turn all back."""
        with self._lock:
            self._set.clear()

    def all(self) -> dict[str, str]:
        """Answer how each stands."""
        return {name: self[name] for name in CHOICES}

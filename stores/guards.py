"""What a change of a store's rules would take off it, so that nobody clears a store by a slip.

The floor that knows what is listed there counts; without one nothing is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from common.errors import Invalid
from stores.models import Store
from stores.settings_schema import StoreSettings

# Taking off more of a store's lots than this needs the number, typed.
REMOVAL_LIMIT_PERCENT = 10


@dataclass(frozen=True, slots=True)
class TakenOff:
    """How many lots would be taken off a store, of how many that are for sale there."""

    count: int
    of: int

    @property
    def is_much(self) -> bool:
        """Tell whether whoever wants it says so first."""
        return self.count * 100 > self.of * REMOVAL_LIMIT_PERCENT


# Counts what another choice of lots takes off a store: by the store and the choice.
Counter = Callable[[Store, str], TakenOff]
_counters: list[Counter] = []


def count_with(counter: Counter) -> None:
    """Have a floor count what is taken off."""
    _counters[:] = [counter]


def check_choice(store: Store, settings: StoreSettings, *, confirmed: int | None) -> None:
    """Pass where other settings take few lots off a store, or as many as were confirmed. Raises Invalid."""
    chosen = settings.listed_query
    if not chosen or chosen == StoreSettings.of(store.settings).listed_query or not _counters:
        return
    found = _counters[0](store, chosen)
    if found.is_much and confirmed != found.count:
        words = (
            f"“Only these lots” takes {found.count:,} of the {found.of:,} lots that are for sale on {store.name} off"
            " there. To have that, type that number."
        )
        raise Invalid(errors={"/confirmed_removals": [words]})

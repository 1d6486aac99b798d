"""What things go for: made up from an item's weight and rarity, the same each time for the same item."""

from dataclasses import dataclass
from functools import lru_cache

from sandbox.clock import DAY_MS
from sandbox.dice import Dice
from sandbox.items import Item

# Units of a currency for one US dollar, in hundredths.
RATES = {
    "USD": 100, "EUR": 92, "GBP": 79, "CAD": 137, "AUD": 152, "CHF": 88, "DKK": 687, "NOK": 1075, "SEK": 1050,
    "PLN": 396, "CZK": 2320, "HUF": 36000, "JPY": 15000, "BRL": 510, "MXN": 1710, "NZD": 164, "SGD": 135,
}  # fmt: skip
# Who deals, with how many deals in a hundred.
_COUNTRIES = (
    ("US", 30), ("DE", 18), ("UK", 10), ("NL", 8), ("FR", 6), ("IT", 4), ("ES", 4), ("PL", 4), ("CA", 4), ("AU", 3),
    ("BE", 3), ("NO", 2), ("JP", 1), ("BR", 1), ("PT", 1), ("CH", 1),
)  # fmt: skip
EU = frozenset(("DE", "NL", "FR", "IT", "ES", "PL", "BE", "PT"))
EUROPE = EU | {"UK", "NO", "CH"}
REGIONS = {
    "asia": frozenset(("JP",)), "africa": frozenset(), "north_america": frozenset(("US", "CA")),
    "south_america": frozenset(("BR",)), "middle_east": frozenset(), "europe": EUROPE, "eu": EU,
    "oceania": frozenset(("AU",)),
}  # fmt: skip
_VAT_PERCENT = {"Y": 21, "O": 25, "N": 0}
_QUANTITIES = (1, 1, 1, 2, 2, 4, 6, 9, 15, 30, 120)
_SOLD_DAYS = 180
# Hundredths of the usual price at which deals are made, from the cheapest to the dearest.
_SPREAD = (40, 62, 75, 84, 92, 100, 110, 125, 150, 190, 320)


@dataclass(frozen=True, slots=True)
class Deal:
    """One sale, or one offer, of so many pieces for so many ten-thousandths of the currency's unit each."""

    quantity: int
    price: int
    seller_country: str
    buyer_country: str
    at_ms: int
    is_shipping_available: bool


@lru_cache(maxsize=20_000)
def usual(key: tuple[str, str, int, int], color_id: int, condition: str) -> int:
    """Answer what an item of that key (`key_of`) goes for, in ten-thousandths of a US dollar."""
    kind, number, weight, colors = key
    dice = Dice(kind, number, color_id)
    if kind == "MINIFIG":
        base = dice.along((8_000, 15_000, 25_000, 40_000, 70_000, 150_000, 1_500_000))
    elif kind == "SET":
        base = dice.along((50_000, 120_000, 250_000, 500_000, 900_000, 2_000_000, 8_000_000))
    elif kind == "PART":
        base = max(120, weight * 4) * dice.along((40, 70, 100, 140, 220, 600)) // 100
        base += base * max(0, 20 - colors) // 20
    else:
        base = dice.along((5_000, 20_000, 50_000, 120_000, 400_000))
    return max(100, base * (62 if condition == "U" else 100) // 100)


def key_of(item: Item) -> tuple[str, str, int, int]:
    """Answer what the price of an item hangs on."""
    return item.type, item.no, item.weight, len(item.elements)


def converted(amount: int, currency: str) -> int:
    """Answer an amount of US dollars in another currency, rounded up."""
    return -(-amount * RATES[currency] // 100)


def deals(
    item: Item, color_id: int, condition: str, *, is_sold: bool, currency: str, day_ms: int, vat: str = "N"
) -> list[Deal]:
    """Answer the sales of half a year before a day, newest first; or what is offered on it, cheapest first."""
    if color_id not in item.colors and color_id:
        return []
    base = usual(key_of(item), color_id, condition)
    dice = Dice(item.type, item.no, color_id, condition, "sold" if is_sold else "stock")
    if dice.chance(4):
        return []
    most = 40 if item.type == "PART" else 15
    found = []
    for _ in range(dice.between(1, most)):
        quantity = dice.along(_QUANTITIES) if item.type == "PART" else dice.along((1, 1, 1, 1, 2, 3))
        price = base * dice.along(_SPREAD) // 100
        seller, buyer = dice.weighted(_COUNTRIES), dice.weighted(_COUNTRIES)
        at_ms = day_ms - day_ms % DAY_MS - dice.below(_SOLD_DAYS * DAY_MS)
        can_ship = not dice.chance(15)
        price += price * _vat_of(vat, seller) // 100
        found.append(Deal(quantity, max(1, converted(price, currency)), seller, buyer, at_ms, can_ship))
    if is_sold:
        return sorted(found, key=lambda deal: -deal.at_ms)
    return sorted(found, key=lambda deal: deal.price)


def _vat_of(vat: str, country: str) -> int:
    return _VAT_PERCENT[vat] if country in EU or (vat == "O" and country == "NO") else 0

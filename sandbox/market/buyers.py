"""Those who buy: made up, the same each time for the same number."""

from collections.abc import Mapping
from typing import Any

from sandbox.dice import Dice

_FIRST = (
    "Ada", "Ben", "Chloé", "Dario", "Edith", "Fynn", "Greta", "Håkon", "Ines", "João", "Karl", "Lucía", "Marek", "Nora",
    "Otto", "Petra", "Quinn", "Rosa", "Søren", "Tomáš", "Uma", "Vera", "Wim", "Xenia", "Yuki", "Zoë",
)  # fmt: skip
_LAST = (
    "Example", "O'Neill", "Müller", "da Silva", "Nowak", "Smith (Jr.)", "Øst", "van den Berg", "Rossi", "García",
    "Tanaka", "Dubois", "Novák", "Lee & Sons", "Weiß",
)  # fmt: skip
# Country, its name, a town and a state there, the form of its postal codes, of a hundred buyers so many.
_PLACES = (
    ("DE", "Germany", "Town", "", "#####", 22), ("US", "USA", "Springfield", "IL", "#####", 20),
    ("UK", "United Kingdom", "Bury St. Edmunds", "", "AB# #CD", 9), ("NL", "Netherlands", "Utrecht", "", "#### AB", 7),
    ("FR", "France", "Orléans", "", "#####", 6), ("IT", "Italy", "Aosta", "AO", "#####", 4),
    ("ES", "Spain", "A Coruña", "", "#####", 4), ("PL", "Poland", "Łódź", "", "##-###", 3),
    ("BE", "Belgium", "Liège", "", "####", 3), ("AT", "Austria", "Graz", "", "####", 3),
    ("CH", "Switzerland", "Zürich", "", "####", 2), ("SE", "Sweden", "Malmö", "", "### ##", 2),
    ("NO", "Norway", "Tromsø", "", "####", 2), ("DK", "Denmark", "Århus", "", "####", 2),
    ("PT", "Portugal", "Évora", "", "####-###", 1), ("CZ", "Czech Republic", "Plzeň", "", "### ##", 1),
    ("IE", "Ireland", "Cork", "", "", 1), ("FI", "Finland", "Espoo", "", "#####", 1),
    ("HU", "Hungary", "Győr", "", "####", 1), ("CA", "Canada", "Montréal", "QC", "H#X #Y#", 2),
    ("AU", "Australia", "Perth", "WA", "####", 1), ("JP", "Japan", "京都市", "京都府", "###-####", 1),
    ("BR", "Brazil", "São Paulo", "SP", "#####-###", 1), ("NZ", "New Zealand", "Napier", "", "####", 1),
    ("HK", "Hong Kong", "Kowloon", "", "", 1),
)  # fmt: skip


def buyer(number: int) -> dict[str, Any]:
    """Answer a buyer; of some only a part of the address is known."""
    dice = Dice("buyer", number)
    first, last = dice.one(_FIRST), dice.one(_LAST)
    place = dice.weighted([(place, place[5]) for place in _PLACES])
    country, land, town, state, code, _ = place
    street = f"{dice.between(1, 180)} {dice.one(('Example Street', 'Rue de l’École', 'Am Weg', 'Main St.'))}"
    postal = "".join(str(dice.below(10)) if letter == "#" else letter for letter in code)
    found: dict[str, Any] = {
        "id": 5_000 + number, "username": f"buyer{number}", "email": f"buyer{number}@example.com", "first": first,
        "last": last, "country": country, "country_name": land, "address1": street,
        "address2": "c/o Desk 5" if dice.chance(10) else "", "city": town, "state": state, "postal_code": postal,
        "phone": f"+00 {dice.below(10**7):07d}" if dice.chance(60) else "", "is_partial": dice.chance(8),
    }  # fmt: skip
    return found


def full_address(who: Mapping[str, Any]) -> str:
    """Answer the address in lines."""
    lines = (who["address1"], who["address2"], f"{who['postal_code']} {who['city']}".strip(), who["state"],
             who["country_name"])  # fmt: skip
    return "\n".join(line for line in lines if line)

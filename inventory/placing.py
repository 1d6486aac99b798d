"""Decides where a lot is best put, and says why. Pure: the storage comes in as plain values and is kept up to date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from inventory.lookalikes import Thing, base_number, is_same, why_alike


@dataclass(slots=True)
class Place:
    """A place in route order. `lots`: how many lie there; `capacity`: how many fit, None for any number."""

    id: UUID
    code: str
    shelf: tuple[str, str, str]
    capacity: int | None
    lots: int

    @property
    def has_room(self) -> bool:
        """Tell whether another lot fits in."""
        return self.capacity is None or self.lots < self.capacity


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Where to put a lot, in words why, and which place was passed over because of a look-alike."""

    place: Place
    reason: str
    avoided: str = ""


@dataclass(slots=True)
class Storage:
    """The active places in route order, and what lies there of things that could be like those to be placed."""

    places: list[Place]
    things: dict[UUID, list[tuple[UUID, Thing]]] = field(default_factory=dict)
    _position: dict[UUID, int] = field(default_factory=dict)
    # The same by what alone can be the same or alike: type and number without variants; by the place's position.
    _kinds: dict[tuple[str, str], dict[int, list[Thing]]] = field(default_factory=dict)
    # Empty places that a walk comes by, in its order; those found taken are dropped at the next look.
    _empty: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._position = {place.id: number for number, place in enumerate(self.places)}
        self._empty = [number for number, place in enumerate(self.places) if not place.lots]
        for place_id, there in self.things.items():
            for _, thing in there:
                self._note(place_id, thing)

    def _note(self, place_id: UUID, thing: Thing) -> None:
        if (number := self._position.get(place_id)) is not None:
            self._kinds.setdefault(_kind_of(thing), {}).setdefault(number, []).append(thing)

    def put(self, place: Place, lot_id: UUID, thing: Thing) -> None:
        """Note that the lot lies there from now on."""
        there = self.things.setdefault(place.id, [])
        if all(other != lot_id for other, _ in there):
            there.append((lot_id, thing))
            place.lots += 1
            self._note(place.id, thing)

    def suggest(self, lot_id: UUID, thing: Thing, own: Mapping[UUID, int]) -> Suggestion | None:
        """Answer where to put more of the lot, which lies at `own` places already; None where nothing is free."""
        blocked = self._blocked(thing)
        if found := self._beside_itself(lot_id, thing, own, blocked):
            return found
        shelves = {self.places[number].shelf: self.places[number] for number in self._positions_of(thing)}
        avoided = ""
        for number in self._free(thing):
            if number in blocked:
                avoided = avoided or f"{self.places[number].code} is passed over: {blocked[number]}."
                continue
            place = self.places[number]
            like = shelves.get(place.shelf)
            if like is not None and any(place.shelf):
                return Suggestion(place, f"On the shelf of the same at {like.code}, and {_room(place)}.", avoided)
            if not shelves:
                break
        for number in self._free(thing):
            if number not in blocked:
                place = self.places[number]
                return Suggestion(place, f"{_room(place).capitalize()}, and no look-alike beside it.", avoided)
        return None

    def offers(self, lot_id: UUID, thing: Thing, own: Mapping[UUID, int], *, most: int) -> list[Suggestion]:
        """Answer some places for more of a lot, the best first: where the same lies, then what is free."""
        best = self.suggest(lot_id, thing, own)
        found = {best.place.id: best} if best else {}
        blocked = self._blocked(thing)
        for number in self._positions_of(thing):
            place = self.places[number]
            if place.has_room:
                found.setdefault(place.id, Suggestion(place, "The same lies there already."))
        for number in self._free(thing):
            if len(found) >= most:
                break
            if number not in blocked:
                place = self.places[number]
                found.setdefault(place.id, Suggestion(place, f"{_held(place)}."))
        return list(found.values())[:most]

    def _beside_itself(
        self, lot_id: UUID, thing: Thing, own: Mapping[UUID, int], blocked: Mapping[int, str]
    ) -> Suggestion | None:
        for place_id in sorted(own, key=lambda key: (-own[key], self._position.get(key, 0))):
            if place_id in self._position:
                place = self.places[self._position[place_id]]
                return Suggestion(place, f"{own[place_id]:,} more of this lot lie there.")
        for number in self._positions_of(thing):
            place = self.places[number]
            if place.has_room and number not in blocked:
                return Suggestion(place, "The same lies there already.")
        return None

    def _positions_of(self, thing: Thing) -> list[int]:
        kind = self._kinds.get(_kind_of(thing), {})
        return sorted(number for number, there in kind.items() if any(is_same(thing, other) for other in there))

    def _blocked(self, thing: Thing) -> dict[int, str]:
        """Answer the places that have a look-alike in them or beside them, and which."""
        blocked: dict[int, str] = {}
        for number, there in self._kinds.get(_kind_of(thing), {}).items():
            why = next((words for other in there if (words := why_alike(thing, other))), "")
            if why:
                blocked[number] = f"{why} lies there"
                for beside in (number - 1, number + 1):
                    if 0 <= beside < len(self.places) and self._is_beside(number, beside):
                        blocked.setdefault(beside, f"{why} lies beside it at {self.places[number].code}")
        return blocked

    def _is_beside(self, number: int, other: int) -> bool:
        """Tell whether two neighbors on the walk are within reach of each other: the same zone and aisle."""
        return self.places[number].shelf[:2] == self.places[other].shelf[:2]

    def _free(self, thing: Thing) -> Iterable[int]:
        """Answer the places with room: empty ones first, then those of which is known how many lots they take."""
        self._empty = [number for number in self._empty if not self.places[number].lots]
        yield from self._empty
        for is_counted in (True, False):
            for number, place in enumerate(self.places):
                if place.lots and place.has_room and (place.capacity is not None) is is_counted:
                    yield number


def _kind_of(thing: Thing) -> tuple[str, str]:
    return thing.item_type, base_number(thing.item_type, thing.item_no)


def _held(place: Place) -> str:
    if not place.lots:
        return "Empty"
    held = f"{place.lots:,} {'lot lies' if place.lots == 1 else 'lots lie'} there"
    return held if place.capacity is None else f"{held}, {place.capacity:,} fit"


def _room(place: Place) -> str:
    if not place.lots:
        return "empty"
    if place.capacity is None:
        return "takes any number of lots"
    left = place.capacity - place.lots
    return f"has room for {left:,} more {'lot' if left == 1 else 'lots'}"

"""What has no mapping, by what it is known again: a platform's number here, or an item of ours there."""

from dataclasses import dataclass

from inventory.choices import Direction, NumberSystem

# No platform's numbers are longer; the columns hold no more.
NUMBER_LENGTH, COLOR_LENGTH = 60, 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `number`: the platform's, or our item's (`item_type`) where it is asked what it is there."""

    system: str
    number: str
    item_type: str = ""
    color: str = ""
    direction: str = Direction.INBOUND.value

    @property
    def key(self) -> dict[str, str]:
        """Answer the columns by which its rows are found."""
        return {
            "direction": self.direction, "system": self.system, "item_type": self.item_type, "number": self.number,
            "color": self.color,
        }  # fmt: skip

    @property
    def is_known_kind(self) -> bool:
        """Tell whether it can be asked at all."""
        is_number = 0 < len(self.number) <= NUMBER_LENGTH and len(self.color) <= COLOR_LENGTH
        return is_number and self.system in NumberSystem.values and self.direction in Direction.values

    @property
    def is_of_stock(self) -> bool:
        """Tell whether lots lie under the number itself, which is BrickLink's, or should be."""
        return self.direction == Direction.INBOUND and self.system == NumberSystem.BRICKLINK and bool(self.item_type)

    @property
    def is_outbound(self) -> bool:
        """Tell whether it is asked what an item of ours is there."""
        return self.direction == Direction.OUTBOUND

    @property
    def system_label(self) -> str:
        """Answer whose number it is."""
        return str(NumberSystem(self.system).label)

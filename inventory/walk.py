"""Numbers the places of a walk when one of them moves: as few new numbers as will do. Pure."""

from collections.abc import Sequence

# New numbers are so far apart, so that others fit between them later.
STEP = 100


def renumbered(numbers: Sequence[int], place: int) -> dict[int, int]:
    """Answer new numbers, by position, that make the one at `place` fit where it stands among the others.

    The numbers before it and after it ascend, perhaps with equal ones. Where there is no number between its neighbors,
    these get new ones too, and theirs, until there is room.
    """
    low, high = place, place
    while True:
        size = high - low + 1
        left = numbers[low - 1] if low else None
        right = numbers[high + 1] if high + 1 < len(numbers) else None
        if left is None and right is None:
            made = [STEP * (offset + 1) for offset in range(size)]
        elif left is None:
            assert right is not None  # noqa: S101  # the case before
            made = [right - STEP * (size - offset) for offset in range(size)]
        elif right is None:
            made = [left + STEP * (offset + 1) for offset in range(size)]
        elif right - left > size:
            made = [left + (right - left) * (offset + 1) // (size + 1) for offset in range(size)]
        else:
            low, high = max(0, low - size), min(len(numbers) - 1, high + size)
            continue
        return {low + offset: number for offset, number in enumerate(made) if number != numbers[low + offset]}

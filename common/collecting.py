"""Python's search for cycles, while hundreds of thousands of values are made that are in none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Have Python not look for cycles while the block runs, of the whole process.

    It looks through all that lives, again and again while that grows, which takes a third of the time. What is in no
    cycle is given back as ever; what is in one waits for the end of the block.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

"""Whether this worker was asked to stop: a byte shared with the processes it forked, which long work looks at."""

import mmap

# Shared with children by fork, and written by a signal handler, which may take no lock.
_flag = mmap.mmap(-1, 1)


def request() -> None:
    """Ask this process and those it forked to stop at their next opportunity."""
    _flag[0] = 1


def is_requested() -> bool:
    """Tell whether to stop; the work goes on elsewhere or later."""
    return _flag[0] == 1


def withdraw() -> None:
    """Take the request back. For tests."""
    _flag[0] = 0

"""Several at once, for tests of what must hold then."""

import threading
from collections.abc import Callable

from django.db import connection

from common import workspace


def in_threads(work: Callable[[int], object], count: int) -> list[BaseException]:
    """Have so many threads work in the present workspace, each by its number; answer what failed."""
    failures: list[BaseException] = []
    key = workspace.current_key()

    def run(number: int) -> None:
        try:
            with workspace.enter(key):
                work(number)
        except BaseException as failure:  # handed to the test
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures

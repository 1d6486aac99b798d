"""Orders by file: take a file in, read it, show what it will do, take its orders over one by one."""

from orders.services.files.applying import take_over
from orders.services.files.reading import read_file
from orders.services.files.receiving import APPLY, READ, approve, discard, end_file, purge, start_file

__all__ = ["APPLY", "READ", "approve", "discard", "end_file", "purge", "read_file", "start_file", "take_over"]

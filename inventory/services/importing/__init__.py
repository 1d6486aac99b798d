"""Imports: take a file in, read it, show what it will do, do it, and remember what became of it."""

from inventory.import_options import Options
from inventory.services.importing.applying import apply
from inventory.services.importing.ending import end_import
from inventory.services.importing.leaving_out import import_left_out
from inventory.services.importing.reading import read_file
from inventory.services.importing.receiving import (
    APPLY,
    READ,
    answer_questions,
    approve,
    discard,
    open_file,
    purge,
    read_again,
    start_import,
)

__all__ = [
    "APPLY",
    "READ",
    "Options",
    "answer_questions",
    "apply",
    "approve",
    "discard",
    "end_import",
    "import_left_out",
    "open_file",
    "purge",
    "read_again",
    "read_file",
    "start_import",
]

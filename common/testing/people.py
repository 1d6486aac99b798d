"""People for the tests of every floor: found by name, so that a lower floor's tests don't import a higher one."""

from typing import Any

from django.utils.module_loading import import_string

PASSWORD = "correct horse battery"  # of people who live for one test


def make_user(**values: Any) -> Any:
    """Answer a new user of the shop at hand: `role` (owner), `email`, `name`, `password`, `is_verified`."""
    return import_string("accounts.testing.make_user")(**values)

"""Marketplaces without their rates, and real workers."""

from brikonnect.tests.conftest import start_worker
from sync.tests.conftest import unthrottled

__all__ = ["start_worker", "unthrottled"]

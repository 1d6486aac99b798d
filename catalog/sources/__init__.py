"""Those who know about LEGO: one file each. Imported one by one, so that each registers itself."""

# ruff: noqa: F401  # each registers itself by being imported
from catalog.sources import bricklink, brickognize, brickowl, exchange_rates, rebrickable
from catalog.sources.base import Can, Source, registry

__all__ = ["Can", "Source", "registry"]

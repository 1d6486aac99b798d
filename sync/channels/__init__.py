"""The channels on which a shop sells: one each. Imported one by one, so that each registers itself."""

# ruff: noqa: F401  # each registers itself by being imported
from sync.channels import bricklink, brickowl, brikick, local
from sync.channels.base import Channel, registry

__all__ = ["Channel", "registry"]

"""BrickLink's store API v1: https://www.bricklink.com/v3/api.page."""

from sandbox.bricklink.service import BrickLink

__all__ = ["BrickLink"]

"""Brikick's store API: the house's own contract, as the marketplace's server is to speak it."""

from sandbox.brikick.service import Brikick

__all__ = ["Brikick"]

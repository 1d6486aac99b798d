"""The part of the control API that steers the marketplaces: sellers, stock, buyers, clock, switches, snapshots."""

from sandbox.steering.commands import CommandError
from sandbox.steering.service import Steering

__all__ = ["CommandError", "Steering"]

"""Brick Owl's API v1: https://www.brickowl.com/api_docs."""

from sandbox.brickowl.service import BrickOwl

__all__ = ["BrickOwl"]

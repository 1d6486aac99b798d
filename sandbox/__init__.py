"""Imitates the services that the product asks, over real HTTP: for developing, for tests and for the demo.

A process of its own that shares no line with the product, so that a mistake isn't made twice in the same way: only the
providers' public documents are shared. `python -m sandbox` runs it alone. It never asks the network.
"""

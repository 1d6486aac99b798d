"""Picking: walks through the storage for several orders at once, on a phone, offline too."""

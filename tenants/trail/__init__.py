"""Holds the history tables of tenants and domains in every schema: a shop's settings are in the shop's own trail."""

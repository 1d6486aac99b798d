"""Dumps of the catalog's sources, from files into tables, set by set."""

"""The database's engine (settings, ENGINE)."""

"""Pages of people: the door, oneself, colleagues, roles."""

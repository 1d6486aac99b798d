"""Pages of picking."""

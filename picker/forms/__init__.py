"""Forms of picking."""

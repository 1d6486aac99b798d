"""Forms of inventory's pages."""

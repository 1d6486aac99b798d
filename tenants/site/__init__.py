"""Public pages: what visitors of the site see before they have a shop."""

"""Text into typed values, and bytes into text: what several file formats do alike. Knows no models."""

"""What can be done to pick sessions."""

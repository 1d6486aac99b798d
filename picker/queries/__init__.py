"""What can be asked of pick sessions."""

"""What is known of how stores are kept in step."""

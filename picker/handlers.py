"""What picking does when something happened to its orders."""

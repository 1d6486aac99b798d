"""A second Django project that has the core apps and nothing of the SaaS around them."""

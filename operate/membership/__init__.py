"""Take members out of a ring and let them back in."""

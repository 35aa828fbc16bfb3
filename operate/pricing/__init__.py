"""What a ring costs."""

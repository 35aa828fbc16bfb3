"""A ring on this machine: the stack's own program and handler over moto."""

"""A soak: a ring on this machine under load and faults for a long time, and what became of it."""

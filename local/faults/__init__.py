"""Faults that a person starts in a running ring, for a time."""

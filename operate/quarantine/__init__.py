"""List and redrive quarantined records."""

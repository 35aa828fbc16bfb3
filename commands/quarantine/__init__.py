"""Commands for quarantined records."""

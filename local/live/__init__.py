"""What a running ring is doing at this moment, for pages that show it."""

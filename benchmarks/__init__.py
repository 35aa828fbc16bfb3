"""What a hop costs, measured beside what else there is, in one run and on the same records."""

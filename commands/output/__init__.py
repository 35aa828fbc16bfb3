"""Print results and progress, for a person or as JSON."""

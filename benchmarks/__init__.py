"""Benchmarks of a hop and of alternatives to it, on the same records."""

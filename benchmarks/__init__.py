"""Benchmarks of a hop and of other ways to replicate, on the same records."""

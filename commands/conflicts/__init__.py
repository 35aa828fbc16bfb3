"""The commands `conflicts list`, `show` and `resolve`, and how they show two items."""

"""A stack's settings: read, validated as a whole, immutable."""

"""A stack's settings: read, validated as a whole, then never changed."""

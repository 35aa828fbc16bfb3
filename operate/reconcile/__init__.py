"""Check, repair and backfill whole tables."""

"""Check and backfill in Step Functions and Lambda."""

"""Policies: of roles, of buckets and of KMS keys."""

"""IAM: roles, users and their policies."""

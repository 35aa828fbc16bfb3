"""Clients for AWS, and its errors in the operator's words."""

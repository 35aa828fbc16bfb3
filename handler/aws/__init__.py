"""Clients, credentials and HTTP transport for calls to AWS."""

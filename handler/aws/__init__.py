"""Calls to AWS: clients, credentials, and the hop's own HTTP client."""

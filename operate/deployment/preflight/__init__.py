"""Checks before a deployment: what Pulumi would fail at halfway, or make silently wrong."""

"""Logs, metrics and alarms of a local ring."""

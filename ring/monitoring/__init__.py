"""Alarms, topics and dashboards."""

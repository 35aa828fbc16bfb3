"""Single resources and their arguments: tables, buckets, heartbeats, a function's code."""

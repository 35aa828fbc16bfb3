"""Status and replication lag of a deployed ring."""

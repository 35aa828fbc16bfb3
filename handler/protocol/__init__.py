"""The replication protocol between two stores."""

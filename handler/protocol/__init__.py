"""The replication protocol over two stores."""

"""Arguments of single resources: policies, tables, function environment, archive."""

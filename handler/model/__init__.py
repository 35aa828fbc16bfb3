"""Values of the protocol: versions, items and stream records. No I/O."""

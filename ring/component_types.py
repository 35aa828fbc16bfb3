"""Type tokens of the ring's components. They are part of URNs and must never change."""

RING = "dynamodb-ring:index:Ring"
REPLICA = "dynamodb-ring:index:Replica"
HOP = "dynamodb-ring:index:Hop"
WATCH = "dynamodb-ring:index:Watch"
DISTRIBUTED = "dynamodb-ring:index:Distributed"
HELD = "dynamodb-ring:index:Held"

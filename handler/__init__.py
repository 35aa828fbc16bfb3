"""What runs in Lambda: one hop of the ring. Standard library and boto3 only."""

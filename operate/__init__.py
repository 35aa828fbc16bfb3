"""What an operator does to a ring: deploy it, look at it, take it down.

From Python: `from operate.deployment.stack import RingStack`; docs/python.md tells how.
"""

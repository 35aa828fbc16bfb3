"""A member's table and its tombstones: conditional writes and consistent reads."""

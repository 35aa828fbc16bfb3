"""Access to a member's table and tombstones: conditional writes and consistent reads."""

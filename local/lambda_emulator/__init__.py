"""Lambda: functions in processes of their own, and the mappings that feed them."""

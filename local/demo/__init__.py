"""The demo: ``python -m local.demo``, or ``make demo``."""

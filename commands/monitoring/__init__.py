"""Commands that show the state of rings."""

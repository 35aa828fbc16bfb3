"""Load data files into a member."""

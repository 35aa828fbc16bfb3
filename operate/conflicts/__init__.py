"""Conflicts that hops have logged: list, show, and resolve them."""

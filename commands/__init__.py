"""Commands of automate.py: each parses its options, runs an operation and prints its result.

To add one, write a function in a module of its name with `@command`, `@stack_rings_option` and its
own options, return an exit code, and list it in automate.py. `outputs.py` is the shortest.
"""

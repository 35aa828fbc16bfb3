"""The commands of automate.py: each parses its options, calls an operation and shows its result.

To add one: write a function in the module of its kind, give it `@answers`, `@which_rings` and its
own options, let it return an exit code, and list it in automate.py. `look.outputs` is the shortest.
"""

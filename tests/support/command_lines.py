"""Command lines of `automate.py`, parsed as it parses them."""

from collections.abc import Sequence

import click

from automate import main


def parse_command_line(words: Sequence[str]) -> click.Context:
    """Parse the words behind `automate.py`, and run nothing. Raises `click.UsageError`."""
    command, rest = find_command(words)
    # With the parent's settings: a command keeps the help option of its first context.
    parent = click.Context(main, **main.context_settings)
    return command.make_context("automate.py", list(rest), parent=parent)


def find_command(words: Sequence[str]) -> tuple[click.Command, Sequence[str]]:
    """Return the command that words begin with, and the rest. Raises `click.UsageError`."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        if name not in command.commands:
            raise click.UsageError(f"There is no command {name}.")
        command = command.commands[name]
    return command, words

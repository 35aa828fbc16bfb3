"""Translate failures of Pulumi's CLI into errors that say what to do."""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pulumi.automation import CommandError, ConcurrentUpdateError, StackNotFoundError

from operate.deployment.remedies import remedies
from operate.errors import (
    InvalidRequestError,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from ring.arn import Arn
from ring.policies.kms_key import key_statements

if TYPE_CHECKING:
    from operate.errors import Note

# Text of the CLI or a provider -> what is missing, and how to provide it.
_MISSING = {
    "PULUMI_ACCESS_TOKEN must be set": (
        "No state backend is configured. Log in once (`pulumi login`, or `pulumi login --local` "
        "for this machine only), or set PULUMI_BACKEND_URL to a backend's URL, such as "
        "s3://my-bucket?region=eu-west-1 or file://~."
    ),
    "passphrase must be set": (
        "The stack's secrets are encrypted with a passphrase. Set PULUMI_CONFIG_PASSPHRASE, or "
        "PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it. An empty one is enough for a stack "
        "without secrets, but it has to be set."
    ),
    "incorrect passphrase": (
        "PULUMI_CONFIG_PASSPHRASE is not the passphrase that this stack's secrets are encrypted "
        "with. Set the one that it was created with."
    ),
    "unable to read PULUMI_CONFIG_PASSPHRASE_FILE": (
        "PULUMI_CONFIG_PASSPHRASE_FILE names a file that cannot be read. Name the one that holds "
        "the passphrase, or set PULUMI_CONFIG_PASSPHRASE."
    ),
    "unable to open bucket": (
        "The state backend cannot be opened. Check that it exists (create a folder first) and that "
        "PULUMI_BACKEND_URL, or `pulumi login`, names it correctly."
    ),
    "could not find region configuration": (
        "The region of the backend's bucket is unknown. Name it in the URL "
        "(s3://my-bucket?region=eu-west-1), or set AWS_REGION."
    ),
    "No valid credential sources found": (
        "A member of the ring has no AWS credentials. Log in (`aws sso login`), set "
        "AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the member a `profile`."
    ),
}
_PLUGIN = re.compile(
    r"(?:download and install|no) resource plugin 'pulumi-resource-([\w-]+)'"
    r"(?: found in the workspace)?(?:\s+at version v([\w.+-]*\w))?"
)
"""The engine's message about a missing plugin that it could not, or may not, download:
https://github.com/pulumi/pulumi/blob/v3.220.0/pkg/util/plugin.go"""
_KEY = re.compile(r"not allowed to be used with Arn '?(arn:[^'\s]*:logs:[^'\s]+)")
"""What CloudWatch Logs says of a key that is not there, or whose policy does not let it in:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
_LOCKED = (
    "Another update of this stack is running, or one was killed: {owner}. Wait for it; if it was "
    "killed, `pulumi cancel --stack {stack}` removes its lock."
)


@contextmanager
def suppress_unraisable() -> Iterator[None]:
    """After a failed program, collect its garbage and suppress the warnings of that.

    Pulumi's SDK abandons its coroutines on a closed event loop. Each would print a warning whenever
    it is collected later.
    """
    try:
        yield
    except CommandError:
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            gc.collect()
        finally:
            sys.unraisablehook = hook
        raise


def to_operate_error(error: CommandError, stack: str, notes: Sequence[Note] = ()) -> OperateError:
    """Translate an error of the CLI; `notes` are the engine's messages before it."""
    stderr = _stderr(error)
    everything = "\n".join([stderr, *(note.text for note in notes)])
    for text, advice in _MISSING.items():
        if text in everything:
            return PrerequisiteError(advice)
    if plugin := _PLUGIN.search(everything):
        return PrerequisiteError(_missing_plugin(plugin[1], plugin[2]))
    if isinstance(error, StackNotFoundError):
        return InvalidRequestError(
            f"There is no stack {stack} in this backend. `pulumi stack ls --all` lists the stacks; "
            "`automate.py up` creates one."
        )
    if isinstance(error, ConcurrentUpdateError):
        return OperationFailedError(_LOCKED.format(owner=_last_line(stderr), stack=stack), notes)
    problems = [note for note in notes if note.severity == "error"]
    messages = "\n".join(
        f"{note.resource}: {note.text}" if note.resource else note.text for note in problems
    )
    text = messages or _last_line(stderr) or "The engine failed without a message."
    hints = [*_key_statements(everything), *remedies(everything)]
    return OperationFailedError(text, notes, "\n".join(hints))


def _key_statements(everything: str) -> list[str]:
    """Return what the key's policy lacks if the logs cannot be encrypted with it; else nothing."""
    found = _KEY.search(everything)
    if found is None:
        return []
    group = Arn.parse(found[1])
    statements = json.dumps(key_statements(group.region, group.account), indent=2)
    return [
        f"The policy of the member's `kms_key` in {group.region} needs these statements "
        f"(docs/how-to/encryption-keys.md), and the key has to exist. Add them, and run this "
        f"again:\n{statements}"
    ]


def _missing_plugin(name: str, number: str | None) -> str:
    """Explain how to install a missing plugin, in the Python package's version."""
    with suppress(PackageNotFoundError):
        number = number or version(f"pulumi-{name}")
    label, argument = (f" {number}", f" v{number}") if number else ("", "")
    return (
        f"Pulumi's plugin {name}{label} is not installed, and could not be downloaded (from "
        f"get.pulumi.com or GitHub). Run `pulumi plugin install resource {name}{argument}`; on a "
        "machine without network, copy it from ~/.pulumi/plugins of another one."
    )


def _stderr(error: CommandError) -> str:
    """Return the CLI's stderr; the exception has it only in its text."""
    found = re.search(r"\n stderr: (.*)", str(error), re.DOTALL)
    return found[1].strip() if found else str(error)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip().removeprefix("error: ") if lines else ""

"""What the CLI says when it fails, turned into what the operator has to do about it."""

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

from operate.errors import (
    InvalidRequestError,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from ring.arn import Arn
from ring.key_policy import key_statements

if TYPE_CHECKING:
    from operate.errors import Note

# What the CLI or a provider says -> what is missing, and the way to get it.
_MISSING = {
    "PULUMI_ACCESS_TOKEN must be set": (
        "Pulumi does not know where to keep the state. Log in once (`pulumi login`, or `pulumi "
        "login --local` for this machine alone), or set PULUMI_BACKEND_URL to a backend's URL, "
        "such as s3://my-bucket?region=eu-west-1 or file://~."
    ),
    "passphrase must be set": (
        "The stack's secrets are encrypted with a passphrase. Set PULUMI_CONFIG_PASSPHRASE, or "
        "PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it. An empty one will do for a stack "
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
        "The backend that is to keep the state cannot be opened. See that it is there (a folder "
        "has to be made first) and that PULUMI_BACKEND_URL, or `pulumi login`, names it rightly."
    ),
    "could not find region configuration": (
        "The region of the backend's bucket is not known. Name it in the URL "
        "(s3://my-bucket?region=eu-west-1), or set AWS_REGION."
    ),
    "No valid credential sources found": (
        "AWS credentials are missing for a member of the ring. Log in (`aws sso login`), set "
        "AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the member a `profile`."
    ),
}
_PLUGIN = re.compile(
    r"(?:download and install|no) resource plugin 'pulumi-resource-([\w-]+)'"
    r"(?: found in the workspace)?(?:\s+at version v([\w.+-]*\w))?"
)
"""What the engine says of a plugin that is not there, and that it could not or may not fetch:
https://github.com/pulumi/pulumi/blob/v3.220.0/pkg/util/plugin.go"""
_KEY = re.compile(r"not allowed to be used with Arn '?(arn:[^'\s]*:logs:[^'\s]+)")
"""What CloudWatch Logs says of a key that is not there, or whose policy does not let it in:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
_LOCKED = (
    "Another update of this stack is under way, or one was killed: {who}. Wait for it; if it is "
    "long dead, `pulumi cancel --stack {stack}` takes its lock away."
)


@contextmanager
def suppress_unraisable() -> Iterator[None]:
    """Let what a failed program leaves behind be collected now, and say nothing of it.

    Pulumi's SDK abandons its coroutines then, on a loop that is closed. Each complains when it is
    collected, at any later time, which is somebody else's.
    """
    try:
        yield
    except CommandError:
        complain, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            gc.collect()
        finally:
            sys.unraisablehook = complain
        raise


def to_operate_error(error: CommandError, stack: str, notes: Sequence[Note] = ()) -> OperateError:
    """The error to raise from one of the CLI's; `notes` is what the engine said before."""
    said = _stderr(error)
    everything = "\n".join([said, *(note.text for note in notes)])
    for words, advice in _MISSING.items():
        if words in everything:
            return PrerequisiteError(advice)
    if plugin := _PLUGIN.search(everything):
        return PrerequisiteError(_without_plugin(plugin[1], plugin[2]))
    if isinstance(error, StackNotFoundError):
        return InvalidRequestError(
            f"There is no stack {stack} in this backend. `pulumi stack ls --all` lists those that "
            "are there; `automate.py up` makes one."
        )
    if isinstance(error, ConcurrentUpdateError):
        return OperationFailedError(_LOCKED.format(who=_last(said), stack=stack), notes)
    problems = [note for note in notes if note.severity == "error"]
    told = "\n".join(
        f"{note.resource}: {note.text}" if note.resource else note.text for note in problems
    )
    told = told or _last(said) or "The engine failed without a word."
    return OperationFailedError(told + _for_the_key(everything), notes)


def _for_the_key(everything: str) -> str:
    """What a key's policy lacks, where the logs cannot be encrypted with it; else nothing."""
    found = _KEY.search(everything)
    if found is None:
        return ""
    group = Arn.parse(found[1])
    statements = json.dumps(key_statements(group.region, group.account), indent=2)
    return (
        f"\nThe policy of the member's `kms_key` in {group.region} has to have these statements "
        f"(docs/keys.md), and the key has to be there. Add them, and run this again:\n{statements}"
    )


def _without_plugin(name: str, told: str | None) -> str:
    """What to do where a plugin is missing: it must be of the Python package's version."""
    with suppress(PackageNotFoundError):
        told = told or version(f"pulumi-{name}")
    which, to_get = (f" {told}", f" v{told}") if told else ("", "")
    return (
        f"Pulumi's plugin {name}{which} is not here, and was not fetched (from get.pulumi.com, or "
        f"GitHub). Where there is network: `pulumi plugin install resource {name}{to_get}`. On a "
        "machine without: copy it from ~/.pulumi/plugins of one that has it."
    )


def _stderr(error: CommandError) -> str:
    """What the CLI wrote to stderr; the exception has it in its text alone."""
    found = re.search(r"\n stderr: (.*)", str(error), re.DOTALL)
    return found[1].strip() if found else str(error)


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip().removeprefix("error: ") if lines else ""

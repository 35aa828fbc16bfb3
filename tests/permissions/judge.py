"""Judges calls against IAM documents as IAM does, for what the ring's documents are made of.

How IAM decides:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
What a document holds that is not known here is an error: it must never count as a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

ASSUME = "sts:AssumeRole"
_VERSION = "2012-10-17"
_KEYS = frozenset({"kms:ViaService", "s3:ResourceAccount", "aws:SourceAccount", "aws:SourceArn"})
_PRINCIPALS = frozenset({"AWS", "Service"})


class UnknownInPolicyError(Exception):
    """A document says something that this judge cannot judge."""


@dataclass(frozen=True)
class Call:
    """A call of AWS's API, as IAM sees it.

    `who` is the ARN of a role or user, or the name of a service; `resource` an ARN, or `*` where
    the action has none; `context` the values of condition keys.
    """

    who: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.who}: {self.action} on {self.resource} {dict(self.context) or ''}"


@dataclass(frozen=True)
class Statement:
    """One statement, taken apart; only in a trust policy `principals` say who.

    `conditions` are (operator, key, values).
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def covers(self, call: Call) -> bool:
        """Whether it is about this call."""
        return (
            any(_is_like(call.action.lower(), action.lower()) for action in self.actions)
            and any(_is_like(call.resource, one) for one in self.resources)
            and (not self.principals or call.who in {name for _, name in self.principals})
            and all(_holds(condition, dict(call.context)) for condition in self.conditions)
        )


Policy = tuple[Statement, ...]


def read_policy(document: Mapping[str, Any]) -> Policy:
    """Take an identity's policy apart. Raises `UnknownInPolicyError`."""
    return _read(document, {"Effect", "Action", "Resource"})


def read_trust(document: Mapping[str, Any]) -> Policy:
    """Take the trust policy of a role apart. Raises `UnknownInPolicyError`."""
    return _read(document, {"Effect", "Action", "Principal"})


def permits(policies: Sequence[Policy], call: Call) -> bool:
    """Whether a statement allows the call and none denies it."""
    about = [one for policy in policies for one in policy if one.covers(call)]
    return any(one.allows for one in about) and all(one.allows for one in about)


@dataclass(frozen=True)
class Allowance:
    """One action in one statement of one document: what can be taken out."""

    owner: str
    is_trust: bool
    statement: Statement
    action: str

    def __str__(self) -> str:
        where = self.statement.principals if self.is_trust else self.statement.resources
        return f"{self.owner}: {self.action} {'by' if self.is_trust else 'on'} {where}"

    def grants(self, call: Call) -> bool:
        """Whether this action of this statement is about the call."""
        is_its_own = call.resource == self.owner if self.is_trust else call.who == self.owner
        return is_its_own and replace(self.statement, actions=(self.action,)).covers(call)


@dataclass(frozen=True)
class Law:
    """All documents of a stack: policies by the ARN of whose they are, trusts by the role's."""

    policies: Mapping[str, tuple[Policy, ...]] = field(default_factory=dict)
    trusts: Mapping[str, Policy] = field(default_factory=dict)

    def permits(self, call: Call) -> bool:
        """Whether the call goes through.

        To take a role, its trust policy must allow it, and for another role its own policy as
        well: IAM asks for both across accounts, and for either within one, where the ring gives
        both all the same. A service needs no policy.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
        """
        trusted = call.action != ASSUME or permits([self.trusts.get(call.resource, ())], call)
        is_service = not call.who.startswith("arn:")
        return trusted and (is_service or permits(self.policies.get(call.who, ()), call))

    def allowances(self) -> Iterator[Allowance]:
        """Everything that can be taken out of a document, one action at a time."""
        for owner, policies in self.policies.items():
            for policy in policies:
                yield from _allowances(owner, policy, is_trust=False)
        for owner, policy in self.trusts.items():
            yield from _allowances(owner, policy, is_trust=True)

    def without(self, allowance: Allowance) -> Law:
        """The same documents, less this action of this statement."""
        owner = allowance.owner
        if allowance.is_trust:
            trusts = {**self.trusts, owner: _less(self.trusts[owner], allowance)}
            return replace(self, trusts=trusts)
        less = tuple(_less(policy, allowance) for policy in self.policies[owner])
        return replace(self, policies={**self.policies, owner: less})


def _allowances(owner: str, policy: Policy, *, is_trust: bool) -> Iterator[Allowance]:
    for statement in policy:
        for action in statement.actions:
            yield Allowance(owner, is_trust, statement, action)


def _less(policy: Policy, allowance: Allowance) -> Policy:
    left = tuple(one for one in allowance.statement.actions if one != allowance.action)
    return tuple(
        replace(one, actions=left) if one == allowance.statement else one for one in policy
    )


def _read(document: Mapping[str, Any], needed: set[str]) -> Policy:
    _expect(document, needed={"Version", "Statement"}, optional=set())
    if document["Version"] != _VERSION:
        raise UnknownInPolicyError(f"version {document['Version']}")
    return tuple(_statement(one, needed) for one in document["Statement"])


def _statement(given: Mapping[str, Any], needed: set[str]) -> Statement:
    _expect(given, needed=needed, optional={"Sid", "Condition"})
    if given["Effect"] not in ("Allow", "Deny"):
        raise UnknownInPolicyError(f"effect {given['Effect']}")
    return Statement(
        allows=given["Effect"] == "Allow",
        actions=_texts(given["Action"]),
        resources=_texts(given.get("Resource", "*")),  # a trust policy is about its own role
        principals=tuple(_principals(given["Principal"])) if "Principal" in needed else (),
        conditions=tuple(_conditions(given.get("Condition", {}))),
    )


def _expect(given: Mapping[str, Any], *, needed: set[str], optional: set[str]) -> None:
    if missing := needed - given.keys():
        raise UnknownInPolicyError(f"{given} has no {sorted(missing)}")
    if unknown := given.keys() - needed - optional:
        raise UnknownInPolicyError(f"{sorted(unknown)} in {given}")


def _principals(given: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, Mapping) or not given:
        raise UnknownInPolicyError(f"principal {given!r}")
    for kind, names in given.items():
        for name in _texts(names):
            if kind not in _PRINCIPALS or "*" in name or name.endswith(":root"):
                raise UnknownInPolicyError(f"principal {kind} {name}")
            yield kind, name


def _conditions(given: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, keys in given.items():
        for key, values in keys.items():
            if operator not in _OPERATORS or key not in _KEYS:
                raise UnknownInPolicyError(f"condition {operator} {key}")
            yield operator, key, _texts(values)


def _texts(given: Any) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else tuple(given)
    if not texts:
        raise UnknownInPolicyError("an empty list")
    for text in texts:
        if not isinstance(text, str) or "${" in text:
            raise UnknownInPolicyError(f"{text!r}, which stands for something else")
    return texts


def _is_like(text: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """What fits a pattern: `*` stands for any characters, `?` for one."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _holds(condition: tuple[str, str, tuple[str, ...]], context: Mapping[str, str]) -> bool:
    """Whether a condition holds; one about a key that the call does not have never does."""
    operator, key, values = condition
    found = context.get(key)
    return found is not None and any(_OPERATORS[operator](found, value) for value in values)


_OPERATORS = {"StringEquals": str.__eq__, "StringLike": _is_like, "ArnLike": _is_like}
"""Of an ARN, each part is compared by itself, so a `*` there stands for no colon: those judged here
have one in their last part alone, where there may be colons."""

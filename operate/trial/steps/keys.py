"""Steps about single keys: concurrent writes, delete and insert again, expiry."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from operate.conflicts.ring_conflicts import logged_conflicts
from operate.trial.context import Trial
from operate.trial.items import Item, small_item, text_of
from operate.trial.plan import EXPIRY, PARTITION_KEY, SORT_KEY
from operate.trial.reading import Contents, read_group, wait_for
from operate.trial.verdicts import Expectation, StepResult
from operate.trial.writing import Operation, write, write_all
from ring.text import counted

_MONTH = 30 * 24 * 3600


def concurrent(trial: Trial) -> StepResult:
    """Write and delete the same keys at all members at the same time."""
    group = trial.group("contested")
    names = [f"{number:03}" for number in range(trial.load.contested)]
    written: dict[str, set[str]] = {name: set() for name in names}
    operations = _contested(trial, group, names)
    for one in operations:
        if one.kind == "put":
            written[one.item[SORT_KEY]["S"]].add(text_of(one.item))
    write_all(trial, operations)
    agreed, seconds, contents = _wait_until_agreed(trial, group)
    strange = {
        f"{member.name} {name}"
        for member, items in zip(trial.members, contents, strict=True)
        for name, item in items.items()
        if text_of(item) not in written.get(name, ())
    }
    return StepResult(
        [
            Expectation.of(
                "concurrent.agree",
                f"{len(operations):,} puts and deletes of {counted(len(names), 'key')}, at all "
                "members at once, leave the same everywhere",
                f"the same after {seconds:.1f} s: {counted(len(contents[0]), 'item')}"
                if agreed
                else f"after {seconds:.0f} s: {_disagreement(trial, contents)}",
                agreed,
            ),
            Expectation.of(
                "concurrent.whole",
                "What stands then is one of the items that were written, and no mixture",
                f"not written like that: {', '.join(sorted(strange)[:3])}"
                if strange
                else "each was written",
                not strange,
            ),
            _logged(trial, group),
        ]
    )


def _contested(trial: Trial, group: str, names: Sequence[str]) -> list[Operation]:
    """Return the writes in the order of their rounds: a third are deletes."""
    chosen = random.Random(trial.attempt)
    return [
        Operation(
            "delete" if chosen.random() < 1 / 3 else "put",
            member,
            small_item(group, name, number * 10 + place, member.name),
        )
        for number in range(trial.load.rounds)
        for name in names
        for place, member in enumerate(trial.members)
    ]


def _wait_until_agreed(trial: Trial, group: str) -> tuple[bool, float, list[Contents]]:
    """Wait until all members have had the same for a while; return what they have."""
    began = time.monotonic()
    before: list[Contents] = []
    since = began

    def agree() -> bool:
        nonlocal before, since
        contents = read_group(trial, group)
        if contents != before:
            before, since = contents, time.monotonic()
        alike = all(items == contents[0] for items in contents)
        return alike and time.monotonic() - since >= trial.patience.quiet

    agreed = trial.wait(agree, trial.patience.arrival + trial.patience.quiet)
    return agreed, (since if agreed else time.monotonic()) - began, before


def _disagreement(trial: Trial, contents: Sequence[Contents]) -> str:
    names = sorted({name for items in contents for name in items})
    apart = [name for name in names if len({_text(items, name) for items in contents}) > 1]
    counts = ", ".join(
        f"{member.name} has {len(items)}"
        for member, items in zip(trial.members, contents, strict=True)
    )
    return f"{counted(len(apart), 'key')} differ ({', '.join(apart[:3])}); {counts}"


def _text(items: Contents, name: str) -> str:
    return text_of(items[name]) if name in items else ""


def _logged(trial: Trial, group: str) -> Expectation:
    """Expect the hops' logs to have conflicts of these keys."""
    number = 0

    def has_conflicts() -> bool:
        nonlocal number
        entries = logged_conflicts(trial.ring, 1.0).entries
        number = sum(one.key.get(PARTITION_KEY) == {"S": group} for one in entries)
        return number > 0

    met = trial.wait(has_conflicts, trial.patience.metrics)
    return Expectation.of(
        "concurrent.logged",
        "The hops log the writes that lost",
        f"{counted(number, 'conflict')} in the logs",
        met,
    )


def again(trial: Trial) -> StepResult:
    """Delete keys and insert them again, at the same member and at another."""
    group, members = trial.group("again"), trial.members
    names = [f"{number:02}" for number in range(20)]

    def put(name: str, number: int, place: int) -> Operation:
        member = members[place % len(members)]
        return Operation("put", member, small_item(group, name, number, member.name))

    first = [put(name, 1, number) for number, name in enumerate(names)]
    write_all(trial, first)
    there = wait_for(trial, group, _contents(first))
    for one in first:
        write(trial, Operation("delete", one.member, one.item))
        write(trial, Operation("put", one.member, small_item(group, _name(one), 2, "again")))
    second = {_name(one): small_item(group, _name(one), 2, "again") for one in first}
    at_once = wait_for(trial, group, second)
    write_all(trial, [Operation("delete", one.member, one.item) for one in first])
    gone = wait_for(trial, group, {})
    third = [put(name, 3, number + 1) for number, name in enumerate(names)]
    write_all(trial, third)
    later = wait_for(trial, group, _contents(third))
    what = f"{len(names)} keys that are deleted and inserted again"
    return StepResult(
        [
            Expectation.of(
                "again.at-once",
                f"{what} at once, at the same member, are at all members with the new content",
                at_once.text("all") if there.is_complete else there.text("the first inserts"),
                there.is_complete and at_once.is_complete,
            ),
            Expectation.of(
                "again.elsewhere",
                f"{what} at another member, which has seen the delete, are at all members",
                later.text("all") if gone.is_complete else gone.text("the deletes"),
                gone.is_complete and later.is_complete,
            ),
        ]
    )


def _name(one: Operation) -> str:
    return str(one.item[SORT_KEY]["S"])


def _contents(operations: Sequence[Operation]) -> Contents:
    return {_name(one): one.item for one in operations}


def expiry(trial: Trial) -> StepResult:
    """Set, change and remove an item's expiry, at another member each time."""
    group, members = trial.group("expiry"), trial.members
    states = {
        member.name: trial.client(member).describe_time_to_live(TableName=member.table)[
            "TimeToLiveDescription"
        ]
        for member in members
    }
    on = all(
        one.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        and one.get("AttributeName") == EXPIRY
        for one in states.values()
    )
    later = int(time.time()) + _MONTH
    item = small_item(group, "one", 1, members[0].name)
    arrivals = []
    for place, expires in enumerate((later, later + _MONTH, None)):
        content: Item = {**item, **({EXPIRY: {"N": str(expires)}} if expires else {})}
        write(trial, Operation("put", members[place % len(members)], content))
        arrivals.append(wait_for(trial, group, {"one": content}))
    late = next((one for one in arrivals if not one.is_complete), arrivals[-1])
    return StepResult(
        [
            Expectation.of(
                "expiry.enabled",
                f"TTL is on at all members, by the attribute `{EXPIRY}`",
                ", ".join(f"{name}: {one.get('TimeToLiveStatus')}" for name, one in states.items()),
                on,
            ),
            Expectation.of(
                "expiry.kept",
                "An expiry that is set, changed and removed is so at all members, item included",
                late.text("all three"),
                late.is_complete,
            ),
            Expectation.not_judged(
                "expiry.deleted",
                "An item whose expiry has passed is deleted at all members",
                "DynamoDB may take days to delete an expired item",
            ),
        ]
    )

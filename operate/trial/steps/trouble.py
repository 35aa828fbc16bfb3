"""Steps in which something goes wrong: a poison record, a paused hop, a conflict."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.conflicts.entries import ConflictEntry
from operate.conflicts.resolving import ResolveOutcome
from operate.conflicts.ring_conflicts import logged_conflicts, resolve_conflict
from operate.conflicts.standing import loser_of
from operate.deployed import DeployedMember
from operate.errors import CancelledError, OperateError
from operate.membership.changes import ChangeCallbacks, pause, resume
from operate.table_operations import quarantined, redrive
from operate.trial.context import Trial
from operate.trial.items import small_item, text_of
from operate.trial.plan import PARTITION_KEY, POISON, SORT_KEY
from operate.trial.reading import query, read_group, wait_for
from operate.trial.steps.engine_lock import when_unlocked
from operate.trial.steps.trial_alarms import alarms_in_alarm
from operate.trial.verdicts import Expectation, StepResult
from operate.trial.writing import Operation, write, write_all

INDEX = "trial-poison"
_POISONED = {POISON: {"NULL": True}}


def prepare(trial: Trial) -> StepResult:
    """Begin to create an index at the second member, which refuses what the first one takes.

    AWS takes minutes for it, in which the next steps write.
    """
    if _index_state(trial) is None:
        member = trial.members[1]
        trial.client(member).update_table(
            TableName=member.table,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in (PARTITION_KEY, SORT_KEY, POISON)
            ],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": INDEX,
                        "KeySchema": [{"AttributeName": POISON, "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                }
            ],
        )
    return StepResult()


def _index_state(trial: Trial) -> str | None:
    member = trial.members[1]
    table = trial.client(member).describe_table(TableName=member.table)["Table"]
    for index in table.get("GlobalSecondaryIndexes") or ():
        if index["IndexName"] == INDEX:
            return str(index.get("IndexStatus", "ACTIVE"))
    return None


def poison(trial: Trial) -> StepResult:
    """Write a record that the next member refuses; find it in the quarantine, and redrive it."""
    first, group = trial.members[0], trial.group("poison")
    prepare(trial)
    if not trial.wait(lambda: _index_state(trial) == "ACTIVE", trial.patience.index):
        why = f"the index that refuses the record is {_index_state(trial)}"
        return StepResult([Expectation.not_judged(name, text, why) for name, text in _POISON])
    bad = {**small_item(group, "bad", 1, first.name), **_POISONED}
    write(trial, Operation("put", first, bad))
    good = {f"good-{n}": small_item(group, f"good-{n}", n, first.name) for n in range(10)}
    for item in good.values():
        write(trial, Operation("put", first, item))
    entries: list[dict[str, Any]] = []

    def is_quarantined() -> bool:
        entries[:] = [one for one in quarantined(trial.ring) if _is_of(one, group)]
        return bool(entries)

    kept = trial.wait(is_quarantined, trial.patience.arrival)
    passed = trial.wait(lambda: _passed(trial, group, good), trial.patience.arrival)
    expectations = [
        _of("poison.quarantined", _reason(entries), kept and len(entries) == 1),
        _of("poison.others", "they are" if passed else "they are not", passed),
        _alarm(trial),
    ]
    _remove_index(trial)
    played = list(redrive(trial.ring)) if kept else []
    arrival = wait_for(trial, group, {**good, "bad": bad})
    rest = list(quarantined(trial.ring))
    became = ", ".join(str(one.get("became")) for one in played) or "nothing was redriven"
    expectations.append(
        _of(
            "poison.redriven",
            f"{became}; {arrival.text('all')}; {len(rest)} left",
            arrival.is_complete and not rest and bool(played),
        )
    )
    return StepResult(expectations)


_POISON = (
    ("poison.quarantined", "A record that the next member refuses is in the quarantine, once"),
    ("poison.others", "Records behind it are at all members meanwhile"),
    ("poison.alarm", "The alarm of the quarantine goes off"),
    ("poison.redriven", "Redriven when nothing refuses it, it is everywhere; none is left"),
)


def _of(name: str, seen: str, met: bool) -> Expectation:
    return Expectation.of(name, dict(_POISON)[name], seen, met)


def _is_of(entry: dict[str, Any], group: str) -> bool:
    return any(key.get(PARTITION_KEY) == {"S": group} for key in entry["keys"])


def _reason(entries: list[dict[str, Any]]) -> str:
    if not entries:
        return "it is not there"
    return f"{len(entries)} there: {str(entries[0].get('error'))[:160]}"


def _passed(trial: Trial, group: str, good: dict[str, Any]) -> bool:
    names = [text_of(item) for item in good.values()]
    return all(
        set(names) <= {text_of(item) for item in items.values()}
        for items in read_group(trial, group)
    )


def _alarm(trial: Trial) -> Expectation:
    seen: list[str] = []

    def goes_off() -> bool:
        seen[:] = [name for name in alarms_in_alarm(trial) if "-quarantined" in name]
        return bool(seen)

    if not trial.plan.parsed().monitoring.enabled:
        return Expectation.not_judged("poison.alarm", dict(_POISON)["poison.alarm"], "no alarms")
    began = time.monotonic()
    met = trial.wait(goes_off, trial.patience.metrics)
    after = f"{time.monotonic() - began:.0f} s after the record was quarantined"
    return _of("poison.alarm", f"{', '.join(seen) or 'none'}, {after}", met)


def _remove_index(trial: Trial) -> None:
    """Delete the index, and wait until nothing refuses the record any more."""
    member = trial.members[1]
    if _index_state(trial) not in (None, "DELETING"):
        trial.client(member).update_table(
            TableName=member.table,
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": INDEX}}],
        )
    trial.wait(lambda: _index_state(trial) is None, trial.patience.index)


def pausing(trial: Trial) -> StepResult:
    """Pause a hop, write at all members, and resume it, also after an error."""
    try:
        return _pausing(trial)
    except CancelledError:
        raise
    except (OperateError, ClientError, BotoCoreError):
        # Else what comes next would be tried with a paused hop, and fail.
        resume(trial.journal.ring(), trial.plan.members[0].name, callbacks=_callbacks(trial))
        raise


def _callbacks(trial: Trial) -> ChangeCallbacks:
    """Deploy when an engine that outlived a killed process has ended."""
    return ChangeCallbacks(deploy=lambda ring: when_unlocked(trial, lambda: trial.deploy(ring)))


def _pausing(trial: Trial) -> StepResult:
    first, second = trial.members[:2]
    group = trial.group("paused")
    callbacks = _callbacks(trial)
    trial.on_progress(f"pausing the hop from {first.name}")
    pause(trial.journal.ring(), first.name, callbacks=callbacks)
    wait_until_held(trial)
    held = _items(group, "held", first)
    free = _items(group, "free", second)
    write_all(trial, [Operation("put", first, item) for item in held.values()])
    write_all(trial, [Operation("put", second, item) for item in free.values()])
    others = trial.wait(
        lambda: free.keys() <= read_group(trial, group)[0].keys(), trial.patience.arrival
    )
    trial.stop.sleep(trial.patience.quiet)
    early = {item[SORT_KEY]["S"] for item in query(trial, second, group)} & held.keys()
    trial.on_progress(f"resuming the hop from {first.name}")
    resume(trial.journal.ring(), first.name, callbacks=callbacks)
    arrival = wait_for(trial, group, {**held, **free})
    return StepResult(
        [
            Expectation.of(
                "pause.holds",
                f"While the hop from {first.name} is paused, its writes stay where they are",
                f"{len(early)} of {len(held)} arrived after {trial.patience.quiet:g} s",
                not early,
            ),
            Expectation.of(
                "pause.others",
                f"The other hops go on: writes at {second.name} get to {first.name}",
                "they did" if others else "they did not",
                others,
            ),
            Expectation.of(
                "pause.resumed",
                "After it is resumed, all writes are at all members",
                arrival.text("all"),
                arrival.is_complete,
            ),
        ]
    )


def wait_until_held(trial: Trial) -> bool:
    """Write at the first member until a write stays there; return whether one did in time.

    Lambda may go on to poll for minutes after its API says that a mapping is disabled:
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
    """
    first, second = trial.members[:2]
    group, numbers = trial.group("pausing"), count()

    def is_held() -> bool:
        name = f"{next(numbers):04}"
        write(trial, Operation("put", first, small_item(group, name, 1, first.name)))
        trial.stop.sleep(trial.patience.quiet)
        return name not in {item[SORT_KEY]["S"] for item in query(trial, second, group)}

    return trial.wait(is_held, trial.patience.arrival)


def _items(group: str, name: str, member: DeployedMember) -> dict[str, Any]:
    names = [f"{name}-{number:02}" for number in range(30)]
    return {one: small_item(group, one, 1, member.name) for one in names}


_CONFLICT = (
    ("conflict.listed", "A conflict is listed, with the contents of both writes"),
    ("conflict.resolved", "Resolved for the write that lost, that is at all members"),
)


def conflict(trial: Trial) -> StepResult:
    """Write one key at two members at once; list the conflict, and resolve it."""
    group = trial.group("conflict")
    for name in (f"{number}" for number in range(10)):
        writes = [
            Operation("put", member, small_item(group, name, place, member.name))
            for place, member in enumerate(trial.members[:2])
        ]
        write_all(trial, writes)
    found: list[ConflictEntry] = []

    def is_listed() -> bool:
        entries = logged_conflicts(trial.ring, 1.0, only_open=True).entries
        found[:] = [one for one in entries if one.key.get(PARTITION_KEY) == {"S": group}]
        return bool(found)

    listed = trial.wait(is_listed, trial.patience.metrics)
    if not listed:
        why = "no conflict is in the logs of the hops"
        return StepResult([Expectation.of(name, text, why, False) for name, text in _CONFLICT])
    entry = found[0]
    loser = loser_of(entry)
    name = str(entry.key[SORT_KEY]["S"])
    written = resolve_conflict(trial.ring, entry, loser).outcome

    def stands() -> bool:
        items = [contents.get(name) for contents in read_group(trial, group)]
        return all(item is not None and text_of(item) == text_of(loser or {}) for item in items)

    resolved = written is ResolveOutcome.WRITTEN and trial.wait(stands, trial.patience.arrival)
    both = entry.won.item is not None and loser is not None
    seen = f"key {name}, {len(found)} of 10; won: {entry.won.origin}, lost: {entry.lost.origin}"
    return StepResult(
        [
            Expectation.of(*_CONFLICT[0], seen, both),
            Expectation.of(
                *_CONFLICT[1],
                f"{written}; {'it is everywhere' if resolved else 'it is not everywhere'}",
                resolved,
            ),
        ]
    )

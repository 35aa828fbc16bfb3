"""Steps that write many items at all members: inserts, updates, deletes, and one key often."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from operate.deployed import DeployedMember
from operate.trial.context import Trial
from operate.trial.items import Item, key_of, sized_item, small_item, typed_item
from operate.trial.plan import SORT_KEY
from operate.trial.reading import Arrival, Contents, wait_for
from operate.trial.verdicts import Expectation, StepResult
from operate.trial.writing import Operation, updated, write, write_all
from ring.text import counted


def load(trial: Trial) -> StepResult:
    """Insert, update and delete at all members, each of them at another one than the last."""
    group, types, sizes = (trial.group(name) for name in ("plain", "types", "sizes"))
    began, load_ = _next_minute(trial), trial.load
    plain, typed, sized = (
        _inserts(trial, group, load_.inserts),
        _typed(trial, types),
        _sized(trial, sizes),
    )
    written = write_all(trial, [*plain, *typed, *sized])
    trial.on_progress(f"{counted(written, 'item')} inserted")
    arrivals = [
        wait_for(trial, name, _contents([one.item for one in operations]))
        for name, operations in ((group, plain), (types, typed), (sizes, sized))
    ]
    updates, after = _updates(trial, plain)
    written += write_all(trial, updates)
    trial.on_progress(f"{counted(len(updates), 'item')} updated")
    changed = wait_for(trial, group, after)
    deletes = [
        Operation("delete", _at(trial, number + 2), one.item)
        for number, one in enumerate(plain[len(updates) :][: load_.deletes])
    ]
    written += write_all(trial, deletes)
    trial.on_progress(f"{counted(len(deletes), 'item')} deleted")
    gone = {one.item[SORT_KEY]["S"] for one in deletes}
    emptied = wait_for(trial, group, {name: one for name, one in after.items() if name not in gone})
    expectations = [
        judge_accepted(
            written, load_.inserts + len(typed) + len(sized) + len(updates) + len(deletes)
        ),
        *_inserted(arrivals, (len(plain), len(typed), len(sized)), max(load_.sizes)),
        _arrived("load.updates", f"{len(updates):,} updates (half by UpdateItem)", changed),
        _arrived("load.deletes", f"{len(deletes):,} deletes", emptied),
        tombstones(trial, group, gone),
    ]
    trial.stop.sleep(trial.patience.quiet)
    ended = _next_minute(trial)
    notes = {
        "began": began,
        "ended": ended,
        "written": written,
        "inserts": len(plain) + len(typed) + len(sized),
        "updates": len(updates),
        "deletes": len(deletes),
    }
    return StepResult(expectations, notes=notes)


def _next_minute(trial: Trial) -> float:
    """Wait until a minute begins, so that metrics by the minute are of the load alone.

    Return when that was, to the second: CloudWatch leaves out the minute that begins at the end of
    what it is asked for, and no other.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    if not trial.patience.whole_minutes:
        return time.time()
    trial.stop.sleep(60 - time.time() % 60)
    return round(time.time() / 60) * 60.0


def _at(trial: Trial, number: int) -> DeployedMember:
    return trial.members[number % len(trial.members)]


def _inserts(trial: Trial, group: str, number: int) -> list[Operation]:
    return [
        Operation("put", _at(trial, n), small_item(group, f"{n:05}", n, _at(trial, n).name))
        for n in range(number)
    ]


def _typed(trial: Trial, group: str) -> list[Operation]:
    return [
        Operation("put", _at(trial, n), typed_item(group, f"{n:05}", n, _at(trial, n).name))
        for n in range(trial.load.types)
    ]


def _sized(trial: Trial, group: str) -> list[Operation]:
    return [
        Operation("put", one, sized_item(group, f"{one.name}-{size:03}", size, one.name))
        for one in trial.members
        for size in trial.load.sizes
    ]


def _updates(trial: Trial, plain: Sequence[Operation]) -> tuple[list[Operation], Contents]:
    """Return the updates of the first items, each at the next member, and what they leave."""
    operations = []
    after = dict(_contents([one.item for one in plain]))
    for number, one in enumerate(plain[: trial.load.updates]):
        member, value = _at(trial, number + 1), 1_000_000 + number
        item = updated(one.item, value)
        if number % 2:
            item["writer"] = {"S": member.name}
        operations.append(Operation("put" if number % 2 else "update", member, item))
        after[item[SORT_KEY]["S"]] = item
    return operations, after


def _contents(items: Sequence[Item]) -> Contents:
    return {item[SORT_KEY]["S"]: item for item in items}


def judge_accepted(written: int, planned: int) -> Expectation:
    """Judge whether all writes of the applications were accepted."""
    return Expectation.of(
        "load.accepted",
        f"All {planned:,} writes of the applications are accepted",
        f"{written:,} were accepted",
        written == planned,
    )


def _inserted(
    arrivals: Sequence[Arrival], counts: tuple[int, int, int], largest: int
) -> list[Expectation]:
    plain, types, sizes = arrivals
    return [
        _arrived("load.inserts", f"{counts[0]:,} inserts", plain),
        _arrived("load.types", f"{counts[1]:,} items with every type of attribute", types),
        _arrived("load.sizes", f"{counts[2]:,} items of up to {largest} KB", sizes),
    ]


def _arrived(name: str, what: str, arrival: Arrival) -> Expectation:
    expected = f"{what} are at all members, attribute by attribute, and nothing else is"
    return Expectation.of(name, expected, arrival.text("all"), arrival.is_complete)


def tombstones(trial: Trial, group: str, names: set[str]) -> Expectation:
    """Expect a tombstone of each deleted key at each member."""
    name, expected = "load.tombstones", "Each delete has left a tombstone at each member"
    if any(member.tombstones is None for member in trial.members):
        return Expectation.not_judged(name, expected, "`tombstones.enabled` is false")
    missing: dict[str, int] = {}

    def are_there() -> bool:
        missing.clear()
        for member in trial.members:
            if absent := len(names - _tombstones(trial, member, group, names)):
                missing[member.name] = absent
        return not missing

    met = trial.wait(are_there, trial.patience.arrival)
    lacks = ", ".join(f"{member} lacks {number:,}" for member, number in missing.items())
    return Expectation.of(name, expected, lacks or f"{len(names):,} at each member", met)


def _tombstones(trial: Trial, member: DeployedMember, group: str, names: set[str]) -> set[str]:
    """Return those of some keys that have a tombstone at a member."""
    client, table = trial.client(member), str(member.tombstones)
    found: set[str] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), 100):
        keys = [key_of(group, name) for name in ordered[start : start + 100]]
        request = {table: {"Keys": keys, "ConsistentRead": True}}
        while request:
            answer = client.batch_get_item(RequestItems=request)
            found |= {item[SORT_KEY]["S"] for item in answer["Responses"].get(table, ())}
            request = answer["UnprocessedKeys"]
    return found


def order(trial: Trial) -> StepResult:
    """Write the same keys many times in a row, each at one member."""
    group, members, times = trial.group("order"), trial.members, trial.load.hot
    with ThreadPoolExecutor(2 * len(members)) as pool:
        futures = [
            pool.submit(action, trial, member, group, times)
            for member in members
            for action in (_update_often, _delete_often)
        ]
        kept = [future.result() for future in futures]
    arrival = wait_for(trial, group, _contents([item for item in kept if item]))
    counters = {f"{member.name}-counter" for member in members}
    toggles = {f"{member.name}-toggle" for member in members}
    return StepResult(
        [
            _last(
                "order.updates",
                f"Of {times} updates in a row of a key the last stands at all members",
                arrival,
                counters,
            ),
            _last(
                "order.deletes",
                f"A key that is inserted and deleted {times // 2} times in a row is gone",
                arrival,
                toggles,
            ),
        ]
    )


def _update_often(trial: Trial, member: DeployedMember, group: str, times: int) -> Item:
    for number in range(times):
        trial.stop.check()
        item = small_item(group, f"{member.name}-counter", number, member.name)
        write(trial, Operation("put", member, item))
    return item


def _delete_often(trial: Trial, member: DeployedMember, group: str, times: int) -> None:
    for number in range(times // 2):
        trial.stop.check()
        item = small_item(group, f"{member.name}-toggle", number, member.name)
        write(trial, Operation("put", member, item))
        write(trial, Operation("delete", member, item))


def _last(name: str, expected: str, arrival: Arrival, keys: set[str]) -> Expectation:
    wrong = [one for one in arrival.differences if one.keys & keys]
    seen = ". ".join(map(str, wrong)) or f"it is so after {arrival.seconds:.1f} s"
    return Expectation.of(name, expected, seen, not wrong)

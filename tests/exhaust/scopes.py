"""The scopes that are run, by set: those of CI, all, and those of the known limits."""

from dataclasses import replace

from tests.exhaust.scope import EDITED, WRITES, Scope

_DIES = ("crash", "timeout", "throttle", "redelivery")
"""With batches of one, the last three lead nowhere that a crash does not lead."""
_WRITING = ("put", "update", "delete")
_TWO, _THREE = Scope(2, 2), Scope(3, 2)

CI = [
    Scope(2, 3),
    _TWO.with_faults(*_DIES),
    _TWO.with_faults("start over", "tombstone gone"),
    _TWO.with_faults("quarantine"),
    Scope(2, 2, operations=("put",), falling=True).with_faults("quarantine"),
    _TWO.with_faults("backfill"),
    _TWO.with_faults("empty"),
    Scope(2, 1).with_faults("repair"),
    _TWO.with_faults("crash", most=2),
    *_THREE.orders(),
    _THREE.with_faults("crash"),
    Scope(4, 2),
    Scope(2, 2, batch=3),
    Scope(2, 2, batch=2).with_faults(*_DIES),
    Scope(2, 2, operations=WRITES),
    Scope(2, 2, later=True),
    Scope(2, 2, later=True, skews=(0, 1)),
    Scope(2, 2, later=True, skews=(0, -1)),
    Scope(3, 1).with_faults("bypass"),
    _TWO.with_faults("loss"),
    Scope(2, 2, expiry_travels=True).with_faults("expiry"),
    Scope(2, 2, adopted=True),
    Scope(3, 1, adopted=True),
    Scope(2, 3, operations=_WRITING, keeps_tombstones=False),
    Scope(3, 2, operations=("put", "update"), keeps_tombstones=False),
]

FULL = [
    *Scope(3, 3).orders(),
    *Scope(3, 3).with_faults("crash").orders(),
    Scope(3, 3).with_faults("start over"),
    Scope(3, 3).with_faults("tombstone gone"),
    Scope(3, 2).with_faults("quarantine"),
    Scope(3, 2).with_faults("backfill"),
    Scope(2, 3).with_faults("empty"),
    Scope(2, 2).with_faults("repair"),
    Scope(3, 2, operations=("put",)).with_faults("repair"),
    Scope(2, 3).with_faults("crash"),
    Scope(3, 2).with_faults("crash", most=2),
    *Scope(4, 2).orders(),
    Scope(4, 2).with_faults("crash"),
    Scope(3, 3).with_faults("loss"),
    Scope(3, 3, operations=("put",)).with_faults("quarantine"),
    Scope(3, 3, operations=("put",)).with_faults("backfill"),
    Scope(3, 3, operations=("put",)).with_faults("bypass"),
    Scope(3, 2, operations=("put",)).with_faults("bypass"),
    Scope(2, 2, expiry_travels=True).with_faults("expiry", "crash", most=2),
    Scope(3, 2, expiry_travels=True).with_faults("expiry"),
    Scope(2, 4),
    Scope(2, 3, batch=3),
    Scope(3, 2, batch=2),
    Scope(3, 2, operations=WRITES),
    Scope(2, 3, operations=EDITED),
    Scope(3, 2, later=True, skews=(0, 1, -1)),
    Scope(2, 3, later=True, skews=(0, 1)),
    Scope(3, 3, operations=("put", "update"), keeps_tombstones=False),
]

FAILING = Scope(2, 1, operations=("put",)).with_faults("expiry", "start over", most=2)
"""The smallest that fails: the first of the limits, with a put alone."""

LIMITS = {
    "an expiry, and a mapping started over": Scope(2, 2, operations=_WRITING).with_faults(
        "expiry", "start over", most=2
    ),
    "a mapping started over while the last write travels": replace(
        Scope(2, 4, operations=("put", "delete")).with_faults("start over"),
        calm=True,
        late_replays=True,
        watches=False,
    ),
    "a redrive whose record is delivered once more": Scope(
        2, 3, operations=("put",), in_order=True
    ).with_faults("quarantine", "start over", most=2),
    "an exact old copy": Scope(2, 3, operations=("put", "delete", "put back")),
    "a stub is deleted, and its hop dies": Scope(
        2, 4, operations=("put", "delete", "delete a stub")
    ).with_faults("crash"),
    "a renewal in the second of what it renews": Scope(
        2, 2, later=True, expiry_travels=True
    ).with_faults("expiry"),
    "an emptied member on which a record rested": Scope(3, 2, operations=("put",)).with_faults(
        "empty"
    ),
    "the hop around a member dies as it ends": Scope(
        3, 2, operations=("put", "delete"), in_order=True
    ).with_faults("bypass", "crash", most=2),
}

SETS: dict[str, list[Scope]] = {"ci": CI, "full": FULL, "limits": [*LIMITS.values()]}

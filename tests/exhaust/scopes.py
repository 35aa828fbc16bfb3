"""The scopes that are run, by set: those of CI, all, and those of the known limits."""

from collections.abc import Iterable
from dataclasses import replace

from tests.exhaust.scope import EDITED, WRITES, Scope

_DIES = ("crash", "timeout", "throttle", "redelivery")
"""With batches of one, the last three lead nowhere that a crash does not lead."""
_WRITING = ("put", "update", "delete")


def _with(scope: Scope, faults: Iterable[str], most: int = 1) -> Scope:
    """Return a scope with faults; what an operator does takes applications' writes back."""
    some = tuple(faults)
    watches = not {"repair", "backfill", "empty", "quarantine", "loss"} & {*some}
    return replace(scope, faults=some, most_faults=most, watches=watches)


_TWO, _THREE = Scope(2, 2), Scope(3, 2)

CI = [
    Scope(2, 3),
    _with(_TWO, _DIES),
    _with(_TWO, ("start over", "tombstone gone")),
    _with(_TWO, ("quarantine",)),
    _with(Scope(2, 2, operations=("put",), falling=True), ("quarantine",)),
    _with(_TWO, ("backfill",)),
    _with(_TWO, ("empty",)),
    _with(Scope(2, 1), ("repair",)),
    _with(_TWO, ("crash",), 2),
    *_THREE.orders(),
    _with(_THREE, ("crash",)),
    Scope(4, 2),
    Scope(2, 2, batch=3),
    _with(Scope(2, 2, batch=2), _DIES),
    Scope(2, 2, operations=WRITES),
    Scope(2, 2, later=True),
    Scope(2, 2, later=True, skews=(0, 1)),
    Scope(2, 2, later=True, skews=(0, -1)),
    _with(Scope(3, 1), ("bypass",)),
    _with(_TWO, ("loss",)),
    _with(Scope(2, 2, expiry_travels=True), ("expiry",)),
    Scope(2, 2, adopted=True),
    Scope(3, 1, adopted=True),
    Scope(2, 3, operations=_WRITING, keeps_tombstones=False),
    Scope(3, 2, operations=("put", "update"), keeps_tombstones=False),
]

FULL = [
    *Scope(3, 3).orders(),
    *(scope for one in (_with(Scope(3, 3), ("crash",)),) for scope in one.orders()),
    _with(Scope(3, 3), ("start over",)),
    _with(Scope(3, 3), ("tombstone gone",)),
    _with(Scope(3, 2), ("quarantine",)),
    _with(Scope(3, 2), ("backfill",)),
    _with(Scope(2, 3), ("empty",)),
    _with(Scope(2, 2), ("repair",)),
    _with(Scope(2, 3), ("crash",)),
    _with(Scope(3, 2), ("crash",), 2),
    *Scope(4, 2).orders(),
    _with(Scope(4, 2), ("crash",)),
    _with(Scope(3, 3), ("loss",)),
    _with(Scope(3, 2, operations=("put",)), ("bypass",)),
    _with(Scope(2, 2, expiry_travels=True), ("expiry", "crash"), 2),
    _with(Scope(3, 2, expiry_travels=True), ("expiry",)),
    Scope(2, 4),
    Scope(2, 3, batch=3),
    Scope(3, 2, batch=2),
    Scope(3, 2, operations=WRITES),
    Scope(2, 3, operations=EDITED),
    Scope(3, 2, later=True, skews=(0, 1, -1)),
    Scope(2, 3, later=True, skews=(0, 1)),
    Scope(3, 3, operations=("put", "update"), keeps_tombstones=False),
]

LIMITS = {
    "an expiry, and a mapping started over": _with(
        Scope(2, 2, operations=_WRITING), ("expiry", "start over"), 2
    ),
    "a mapping started over while the last write travels": replace(
        _with(Scope(2, 4, operations=("put", "delete")), ("start over",)),
        calm=True,
        late_replays=True,
        watches=False,
    ),
    "a redrive whose record is delivered once more": _with(
        Scope(2, 3, operations=("put",), in_order=True), ("quarantine", "start over"), 2
    ),
    "an exact old copy": Scope(2, 3, operations=("put", "delete", "put back")),
    "a renewal in the second of what it renews": _with(
        Scope(2, 2, later=True, expiry_travels=True), ("expiry",)
    ),
    "an emptied member on which a record rested": _with(
        Scope(3, 2, operations=("put",)), ("empty",)
    ),
    "the hop around a member dies as it ends": _with(
        Scope(3, 2, operations=("put", "delete"), in_order=True), ("bypass", "crash"), 2
    ),
}

SETS: dict[str, list[Scope]] = {"ci": CI, "full": FULL, "limits": [*LIMITS.values()]}

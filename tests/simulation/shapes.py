"""The kinds of rings and troubles that are simulated, by name."""

from dataclasses import dataclass, replace

PLAIN = (
    "put",
    "update",
    "delete",
    "put if absent",
    "update if there",
    "delete and put",
    "put with a time to live",
    "expire",
)
STALE = (*PLAIN, "hold", "put back edited")
COPIES = (*STALE, "put back")
RENEWALS = ("put with a time to live", "renew", "renew", "expire")
HOT = ("put", "update", "delete", "delete and put")
WITHOUT_DELETES = ("put", "update", "put if absent", "update if there")

FAULTS = (
    "throttle",
    "time out",
    "die",
    "lose the answer",
    "start over",
    "stand still",
    "jump of a clock",
    "bypass",
    "long rest",
)


@dataclass(frozen=True)
class Shape:
    """What kind of ring and of trouble a run has; decisions fill in the rest."""

    about: str
    operations: tuple[str, ...] = PLAIN
    faults: tuple[str, ...] = FAULTS
    keeps_tombstones: bool = True
    late_replays: bool = False
    """Whether mappings start over from far back while the last write is made."""
    rate: int = 1
    """How often something goes wrong, against the usual."""
    aims: bool = False
    """Whether applications wait for the stub of a delete, and write where it stands."""
    replays_at_rest: bool = True
    """Whether mappings start over from far back when all is done."""
    adopts: bool = False
    """Whether some member has items from before the ring, of which no stream knows."""
    loses: bool = False
    """Whether an operator mends every key in the end, since records may have been lost."""
    replays_what_expired: bool = False
    """Whether streams are read again from far back where members expire items on their own."""
    expires_late: bool = False
    """Whether items expire while hops lag, so that a member may not have seen a renewal."""
    by_command: bool = False
    """Whether members go and come back as `automate.py bypass` and `rejoin` have it."""
    batches: bool = False
    """Whether hops write and read for many keys in one request."""
    lists_conflicts: bool = False
    """Whether each write that is lost must be in a hop's log, so that it can be resolved."""
    most_members: int = 6
    most_keys: int = 5
    most_operations: int = 12


AIMED = Shape(
    "one key, and applications that wait for a stub and write there",
    HOT,
    tuple(fault for fault in FAULTS if fault != "bypass"),
    aims=True,
    most_members=4,
    most_keys=1,
    most_operations=20,
)

# A bypass could remove the hop that a quarantined record has to be redriven at: none here.
POISON = tuple(fault for fault in FAULTS if fault != "bypass")

SHAPES = {
    "plain": Shape("application writes under every fault"),
    "calm": Shape("plain, without faults", faults=()),
    "aimed": AIMED,
    "storm": replace(
        AIMED,
        about="aimed, at two or three members, and something goes wrong all the time",
        faults=("throttle", "time out", "die", "lose the answer", "stand still"),
        rate=5,
        replays_at_rest=False,
        most_members=3,
    ),
    "stale": Shape("plain, and items put back edited, with the ring's attributes", STALE),
    "copies": Shape("stale, and exact copies of old versions put back", COPIES),
    "rejoin": replace(AIMED, about="aimed, and members go and come back", faults=FAULTS),
    "commands": Shape(
        "plain, and members go and come back by `bypass` and `rejoin`, under writes",
        by_command=True,
    ),
    "commands-storm": replace(
        AIMED,
        about="the same, on one key, and applications that wait for a stub",
        faults=(*(fault for fault in FAULTS if fault != "long rest"), "bypass"),
        by_command=True,
    ),
    "members": Shape(
        "plain, and members join, are taken out as planned, come back or leave for good",
        faults=(
            *(fault for fault in FAULTS if fault not in ("bypass", "long rest")),
            "come and go",
        ),
    ),
    "expiry": Shape(
        "plain, and streams are read again after own expiries", replays_what_expired=True
    ),
    "renewals": Shape(
        "expiries that travel, and renewals that lag further than items live",
        RENEWALS,
        ("throttle", "time out", "die", "lose the answer", "stand still"),
        expires_late=True,
    ),
    "replays": Shape(
        "plain, and mappings start over while the last write is made", late_replays=True
    ),
    "poison": Shape(
        "plain, and tables refuse items for a while; quarantined records are redriven singly",
        faults=(*POISON, "refuse", "redrive"),
    ),
    "poison-storm": replace(
        AIMED,
        about="poison, on one key at two or three members",
        faults=("throttle", "die", "lose the answer", "stand still", "refuse", "redrive"),
        rate=3,
        replays_at_rest=False,
        most_members=3,
    ),
    "patient": replace(
        AIMED,
        about="storm, and calls that failed are made again at once",
        faults=("throttle", "time out", "die", "lose the answer", "stand still", "try again"),
        rate=5,
        replays_at_rest=False,
        most_members=3,
    ),
    "batched": replace(
        AIMED,
        about="aimed, and hops write and read for several keys in a request, answered in part",
        faults=("start over", "stand still", "in part"),
        rate=3,
        batches=True,
        most_members=3,
        most_keys=2,
    ),
    "repair": Shape(
        "plain, and an operator repairs keys meanwhile",
        faults=(*POISON, "repair"),
    ),
    "repair-storm": replace(
        AIMED,
        about="repair, on one key at two or three members",
        faults=("throttle", "time out", "die", "lose the answer", "stand still", "repair"),
        rate=3,
        replays_at_rest=False,
        most_members=3,
    ),
    "lost": Shape(
        "plain, and records are lost; an operator repairs all in the end",
        faults=(*(fault for fault in POISON if fault != "start over"), "repair", "lose"),
        loses=True,
        replays_at_rest=False,  # what is lost comes back then
    ),
    "fill": Shape(
        "plain, and members are emptied and filled again in the midst of it",
        faults=(*POISON, "empty", "fill"),
        loses=True,
        replays_at_rest=False,  # see docs/explanation/guarantees.md
    ),
    "fill-storm": replace(
        AIMED,
        about="fill, on one key at two to four members",
        faults=("throttle", "time out", "die", "lose the answer", "stand still", "empty", "fill"),
        rate=3,
        replays_at_rest=False,
        loses=True,
    ),
    "adopted": Shape(
        "plain, over a table that had items before the ring, and is filled from in the midst",
        faults=(*POISON, "fill"),
        adopts=True,
    ),
    "conflicts": Shape(
        "a few writes of one key; each that is lost is logged, and an operator resolves some",
        (*WITHOUT_DELETES, "delete"),
        ("throttle", "time out", "die", "lose the answer", "stand still", "resolve"),
        lists_conflicts=True,
        most_keys=1,
        most_operations=3,
    ),
    "off": Shape("tombstones off, and nothing is deleted", WITHOUT_DELETES, keeps_tombstones=False),
    "off-deletes": Shape("tombstones off, with deletes", keeps_tombstones=False),
}

"""A fault of a running ring: its kind, where it is, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

Kind = Literal["outage", "throttle", "delay", "crash", "poison"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VALUES: Mapping[str, str] = {"throttle": "SHARE", "delay": "SECONDS"}
"""The kinds that have a value, and its name."""
DEFAULT_SECONDS = 60.0
_LONGEST = 24 * 3600.0


class FaultError(Exception):
    """A fault cannot be started or cleared. Says why, and what to do."""


@dataclass(frozen=True)
class FaultRequest:
    """A fault to start. `target` names a member: for `delay` and `crash` the source of the hop.

    `value` is the share of the requests to throttle (0 to 1), or the delay in seconds; None for
    other kinds. The fault ends after `seconds`.
    """

    kind: Kind
    target: str
    value: float | None = None
    seconds: float = DEFAULT_SECONDS

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"{self.kind!r} is no fault. Choose one of {', '.join(KINDS)}.")
        name = VALUES.get(self.kind)
        if name is None and self.value is not None:
            raise FaultError(f"The fault {self.kind} has no value: leave {self.value:g} out.")
        if name is not None and self.value is None:
            raise FaultError(f"The fault {self.kind} needs a value: {name}.")
        if self.kind == "throttle" and not 0 < (self.value or 0) <= 1:
            raise FaultError(f"SHARE must be more than 0 and at most 1, not {self.value:g}.")
        if self.kind == "delay" and not 0 < (self.value or 0) <= _LONGEST:
            raise FaultError(f"SECONDS must be more than 0, and at most a day, not {self.value:g}.")
        if not 0 < self.seconds <= _LONGEST:
            raise FaultError(
                f"A fault lasts more than 0 seconds and at most a day, not {self.seconds:g} s."
            )

    @property
    def is_of_region(self) -> bool:
        """Whether it is one of the whole region, of whichever member in it."""
        return self.kind in ("outage", "throttle")

    @classmethod
    def from_document(cls, document: Any) -> FaultRequest:
        """Read a request from JSON. Raises `FaultError`."""
        fields = document if isinstance(document, dict) else {}
        if others := sorted(set(fields) - {"kind", "target", "value", "seconds"}):
            raise FaultError(f"A fault has no {', '.join(others)}. Leave it out.")
        kind, target = fields.get("kind"), fields.get("target")
        if not isinstance(kind, str) or not isinstance(target, str):
            raise FaultError('A fault needs a "kind" and a "target", both text.')
        value, seconds = fields.get("value"), fields.get("seconds", DEFAULT_SECONDS)
        for name, number in (("value", value), ("seconds", seconds)):
            if type(number) not in (int, float) and not (name == "value" and number is None):
                raise FaultError(f'"{name}" must be a number, not {number!r}.')
        return cls(cast("Kind", kind), target, value, seconds)


@dataclass(frozen=True)
class ActiveFault:
    """A fault that is active. Times are in seconds since 1970.

    `target` is the name of the member, or of the source of the hop, and `region` its region.
    """

    id: str
    kind: Kind
    target: str
    region: str
    value: float | None
    began: float
    ends: float

    def document(self, now: float) -> dict[str, Any]:
        """Return it for JSON, with the `remaining` seconds and a `text` for a person."""
        return {**asdict(self), "remaining": max(0.0, self.ends - now), "text": self.text}

    @property
    def text(self) -> str:
        """The fault in a sentence."""
        match self.kind:
            case "outage":
                return f"{self.region} does not answer"
            case "throttle":
                return f"{self.region} throttles {self.value:.0%} of the requests to its tables"
            case "delay":
                return f"the hop from {self.target} delivers records {self.value:g} s late"
            case "crash":
                return f"the function of the hop from {self.target} is killed while it works"
            case "poison":
                return f"{self.target} has an item that its hop cannot apply"

"""The command `fault`: start, list and end faults of a ring on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from commands.exit_codes import OK
from commands.framework import CommandGroup, RingCommand, RingOption, command, examples
from commands.local_ring import request_of_ring
from commands.options.numbers import parse_percentage
from commands.options.rings import local_ring
from commands.output.screen import Screen
from local.faults.control import PATH
from local.faults.fault import DEFAULT_SECONDS, Kind

_UNITS = {"s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A duration such as 30s, 5m or 1h, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See click."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration. Write 30s, 5m or 1h.", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


@click.group(
    cls=CommandGroup,
    epilog=examples(
        "automate.py fault outage eu-west-1 --for 2m --local http://127.0.0.1:8000",
        "automate.py fault throttle eu-west-1 0.5 --local http://127.0.0.1:8000",
        "automate.py fault list --local http://127.0.0.1:8000",
        "automate.py fault clear --local http://127.0.0.1:8000",
    ),
)
def fault() -> None:
    """Break a ring that `automate.py local` runs, for a time.

    Each fault ends by itself, by default after a minute; `clear` ends it now. Nothing on AWS is
    ever changed.
    """


def _local_option(function: Callable[..., int]) -> Callable[..., int]:
    """Add `endpoint`: the URL of a running local ring."""

    @click.option(
        "--local",
        "endpoint",
        metavar="URL",
        required=True,
        cls=RingOption,
        help="Ring that `automate.py local` runs at this URL.",
    )
    @wraps(function)
    def command(endpoint: str, **options: Any) -> int:
        return function(endpoint=local_ring(endpoint).name, **options)

    return command


_for = click.option(
    "--for",
    "seconds",
    type=Duration(),
    default=DEFAULT_SECONDS,
    metavar="DURATION",
    help="How long: 30s, 5m or 1h. Default: 1m.",
)


def _share(_context: Any, _option: Any, text: str) -> float:
    share = parse_percentage(text)
    try:
        return float(text) if share is None else share
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a share. Write 50% or 0.5.") from None


def _example(line: str) -> str:
    return examples(f"automate.py fault {line} --local http://127.0.0.1:8000")


@fault.command("list", cls=RingCommand, epilog=_example("list"))
@command
@_local_option
def list_faults(screen: Screen, endpoint: str) -> int:
    """List the active faults."""
    return _show(screen, _request(endpoint, "GET")["faults"], "No fault is active.")


@fault.command(cls=RingCommand, epilog=_example("clear 2"))
@click.argument("id_", metavar="[ID]", required=False)
@command
@_local_option
def clear(screen: Screen, endpoint: str, id_: str | None) -> int:
    """End the fault with this ID, or all faults."""
    ended = _request(endpoint, "DELETE", path=f"/{id_}" if id_ else "")["faults"]
    return _show(screen, ended, "No fault was active.", are_ended=True)


@fault.command(cls=RingCommand, epilog=_example("outage eu-west-1 --for 2m"))
@click.argument("member")
@command
@_local_option
@_for
def outage(screen: Screen, **given: Any) -> int:
    """Let no service answer in the region of MEMBER.

    The hop to it retries, its own hop stands still, and commands learn nothing of it, as when a
    region of AWS is down. Its table and its stream keep what they have.
    """
    return _start(screen, "outage", given, "member")


@fault.command(cls=RingCommand, epilog=_example("throttle eu-west-1 50%"))
@click.argument("member")
@click.argument("share", callback=_share)
@command
@_local_option
@_for
def throttle(screen: Screen, **given: Any) -> int:
    """Throttle a SHARE (50% or 0.5) of the requests to tables in the region of MEMBER."""
    return _start(screen, "throttle", given, "member", given["share"])


@fault.command(cls=RingCommand, epilog=_example("delay us-east-1 5"))
@click.argument("hop")
@click.argument("delay", metavar="SECONDS", type=float)
@command
@_local_option
@_for
def delay(screen: Screen, **given: Any) -> int:
    """Let HOP (given by its source member) deliver records SECONDS after it has read them."""
    return _start(screen, "delay", given, "hop", given["delay"])


@fault.command(cls=RingCommand, epilog=_example("crash us-east-1 --for 30s"))
@click.argument("hop")
@command
@_local_option
@_for
def crash(screen: Screen, **given: Any) -> int:
    """Kill the function of HOP (given by its source member) while it works, again and again."""
    return _start(screen, "crash", given, "hop")


@fault.command(cls=RingCommand, epilog=_example("poison us-east-1"))
@click.argument("member")
@command
@_local_option
@_for
def poison(screen: Screen, **given: Any) -> int:
    """Write an item at MEMBER that its hop cannot apply at the next member.

    With the attributes that a hop adds, it is larger than an item may be. Its record goes to the
    quarantine; at the end of the fault the item is deleted at MEMBER.
    """
    return _start(screen, "poison", given, "member")


def _start(
    screen: Screen, kind: Kind, given: Mapping[str, Any], target: str, value: float | None = None
) -> int:
    request = {
        "kind": kind,
        "target": given[target],
        "value": value,
        "seconds": given["seconds"],
    }
    started = _request(given["endpoint"], "POST", request)
    line = f"{started['text']}, for {started['remaining']:.0f} s (fault {started['id']})."
    screen.emit(started, lambda: screen.print(line))
    return OK


def _request(endpoint: str, method: str, document: Any = None, path: str = "") -> Any:
    return request_of_ring(endpoint, method, PATH + path, document)


def _show(
    screen: Screen, faults: Sequence[Mapping[str, Any]], nothing: str, *, are_ended: bool = False
) -> int:
    columns = {
        "id": "id",
        "fault": "kind",
        "member or hop from": "target",
        **({} if are_ended else {"ends in": "ends_in"}),
        "effect": "text",
    }

    def show() -> None:
        if not faults:
            screen.print(nothing)
            return
        if are_ended:
            screen.print("Ended:")
        shown = [fault | {"ends_in": f"{fault['remaining']:.0f} s"} for fault in map(dict, faults)]
        rows = [[fault[name] for name in columns.values()] for fault in shown]
        screen.table(list(columns), rows)

    screen.emit({"faults": faults}, show)
    return OK

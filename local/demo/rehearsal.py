"""Rehearsal of the night in which a region is lost: ``make rehearsal``.

Exits with 1 if a write was lost, a command failed, or the members differ at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from local.demo.applications import Application, Applications, values_at
from local.demo.command_line import run_command
from local.demo.story import Story
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from ring.text import counted

if TYPE_CHECKING:
    from local.running_ring import LocalMember

AUTOMATE = PROJECT_ROOT / "automate.py"
_SPEED = 15
"""A minute of the alarms takes 4 s."""
_FAULTS_LAST = "10m"
"""Longer than the rehearsal: what breaks the ring is ended by the story."""
_UNSENT = 5
_OK, _FINDINGS = 0, 1


class _EndedEarlyError(Exception):
    """A command did not end as expected. Says which."""


class Rehearsal:
    """The story, act by act. `problems` are what did not end as expected."""

    def __init__(self, ring: LocalRing, story: Story) -> None:
        self.problems: list[str] = []
        self._ring, self._story = ring, story
        self._before, self._lost, self._behind = ring.members.values()
        self._late = Application(self._lost, "late")
        self._applications = Applications(ring.members, self._late)

    def run(self) -> None:
        """Play all acts."""
        acts: Sequence[Callable[[], None]] = (
            self._an_evening_like_any_other,
            self._the_region_is_lost,
            self._the_alarm,
            self._the_status,
            self._the_bypass,
            self._writes_go_on,
            self.the_region_returns,
            self._the_member_rejoins,
            self._the_check,
        )
        with self._applications:
            for number, act in enumerate(acts, 1):
                self._story.begin(f"{number}. {act.__doc__}")
                act()

    def _an_evening_like_any_other(self) -> None:
        """Applications write in all three regions."""
        # Each hop has then delivered something: the bypass judges by its metrics what was missed.
        enough = 10 * len(self._ring.members)
        self._story.wait_until(lambda: self._applications.acknowledged >= enough, "writes")
        self._wait_for_arrival(self._before, self._lost)
        self._ring.flush()
        for member in self._ring.members.values():
            self._say(member, f"{counted(len(values_at(member)), 'item')}, and more every second")

    def _the_region_is_lost(self) -> None:
        """The middle region is lost, with writes that its hop has not sent."""
        name = self._lost.name
        self._command("fault", "delay", name, "600", "--for", _FAULTS_LAST)
        for number in range(_UNSENT):
            self._late.write(number)
        self._command("fault", "outage", name, "--for", _FAULTS_LAST)
        self._command("fault", "clear", "1")
        self._say(self._lost, f"took {counted(_UNSENT, 'write')} that no other region has")
        others = [values_at(member) for member in (self._before, self._behind)]
        if any(key in values for values in others for key in self._late.written):
            self.problems.append("the last writes were sent before the outage")

    def _the_alarm(self) -> None:
        """The alarm of the hop to the lost region goes off."""
        self._story.print(f"(a minute of the alarms takes {60 // _SPEED} s here)")
        began = time.monotonic()
        self._story.wait_until(lambda: bool(self._alarms()), "an alarm")
        seconds = time.monotonic() - began
        for name in self._alarms():
            self._say(self._before, f"{name} is in ALARM, after {seconds:.0f} s")

    def _the_status(self) -> None:
        """The operator looks."""
        self._ring.evaluate_alarms()
        self._command("status", expected=_FINDINGS)

    def _the_bypass(self) -> None:
        """The operator closes the ring around the lost member."""
        self._command("bypass", self._lost.name, "--yes")

    def _writes_go_on(self) -> None:
        """Writes go on, and reach every member that is left."""
        for source, target in ((self._before, self._behind), (self._behind, self._before)):
            seconds = self._wait_for_arrival(source, target)
            self._say(source, f"a write arrived at {target.name}, {seconds:.1f} s later")

    def the_region_returns(self) -> None:
        """The region returns, with its writes that were never sent."""
        self._command("fault", "clear")
        kept = values_at(self._lost)
        unsent = [key for key in self._late.written if key in kept]
        self._say(self._lost, f"still has its {counted(len(unsent), 'unsent write')}")

    def _the_member_rejoins(self) -> None:
        """The operator lets the member back in, while applications write."""
        self._command("rejoin", self._lost.name, "--yes")

    def _the_check(self) -> None:
        """The applications pause, and all is compared."""
        self._applications.stop()
        self._story.settle()
        self._command("check")
        items = {member.name: values_at(member) for member in self._ring.members.values()}
        lost = self._applications.lost_writes(items)
        self.problems += lost
        total = self._applications.acknowledged
        self._story.print(
            f"{counted(total, 'write')} acknowledged, {len(lost)} lost: compared at each member."
        )

    def _command(self, *arguments: str, expected: int = _OK) -> None:
        code = run_command(self._story, AUTOMATE, arguments)
        if code != expected:
            raise _EndedEarlyError(
                f"`{' '.join(arguments)}` exited with {code}, not {expected}: the rest is left out"
            )

    def _alarms(self) -> list[str]:
        """Return the alarms of the region before the lost one that are in ALARM."""
        self._ring.evaluate_alarms()
        time.sleep(0.5)
        cloudwatch = self._before.clients.cloudwatch(self._before.region)
        alarms = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in alarms]

    def _wait_for_arrival(self, source: LocalMember, target: LocalMember) -> float:
        """Wait until what an application has written by now is at another member."""
        application = self._applications.by_member[source.name]
        before, began = application.acknowledged, time.monotonic()
        self._story.wait_until(lambda: application.acknowledged > before, "a write")
        values = {key: found.value for key, found in [*application.written.items()]}

        def arrived() -> bool:
            there = values_at(target)
            return all(there.get(key, -1) >= (value or 0) for key, value in values.items())

        self._story.wait_until(arrived, f"the writes at {source.name} reach {target.name}")
        return time.monotonic() - began

    def _say(self, member: LocalMember, text: str) -> None:
        self._story.print(f"{member.region:<16} {text}")


def main() -> int:
    """Rehearse; return 1 if something did not end as expected."""
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()
    with LocalRing(_stack(), alarm_speed=_SPEED) as ring:
        story = Story(ring, console)
        story.introduce()
        rehearsal = Rehearsal(ring, story)
        try:
            rehearsal.run()
        except (TimeoutError, _EndedEarlyError) as error:
            rehearsal.problems.append(str(error))
    for problem in rehearsal.problems:
        story.print(f"FAILED: {problem}")
    story.conclude(rehearsal.problems)
    story.print(f"The night took {time.monotonic() - began:.0f} s.")
    return 1 if rehearsal.problems else 0


def _stack() -> StackConfig:
    """Return the stack `dev`, with functions that give up soon and alarms that go off early."""
    stack = StackConfig.read(PROJECT_ROOT, "dev")
    short = {
        "function": {"timeout": 2},
        "mapping": {"parallelization_factor": 4},
        "monitoring": {"iterator_age": 60},
    }
    return stack.with_settings({**stack.settings, **short})


if __name__ == "__main__":
    sys.exit(main())

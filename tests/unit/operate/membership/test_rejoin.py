"""A `rejoin` takes a while, in which the settings may be changed by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.deployment.result import Result
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from operate.membership import changes
from operate.membership.changes import ChangeCallbacks, rejoin
from ring.settings.members import members_of
from tests.support.deployments import CONFIG, MEMBERS, deployed

BACK = "eu-west-1"
STATES = [{"region": "us-east-1"}, {"region": BACK, "state": "bypassed"}, MEMBERS[2]]


class Rejoining:
    """A ring file whose second member rejoins, and what was deployed of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = folder / "rings.yaml"
        self.up: list[list[tuple[str, bool]]] = []
        self.meanwhile: Callable[[], object] = lambda: None
        document = {"rings": [{"name": "orders", "settings": {**CONFIG, "members": STATES}}]}
        self.path.write_text(yaml.safe_dump(document, sort_keys=False))
        monkeypatch.setattr(RingStack, "deployed", lambda _: deployed(CONFIG))
        monkeypatch.setattr(RingStack, "ensure_tables_replicable", lambda _: None)
        monkeypatch.setattr(changes, "wait_until_caught_up", lambda *_: self.meanwhile())

    def run(self) -> None:
        (ring,) = read_rings(self.path)
        rejoin(ring, BACK, allow_gap=True, callbacks=ChangeCallbacks(deploy=self._deploy))

    def _deploy(self, ring: Any) -> Result:
        self.up.append([(one.state, one.paused) for one in members_of(ring.settings())])
        return Result(ring.label, "up", {}, 0.0)

    def write(self, member: int, setting: str, value: Any) -> None:
        """Change a setting of a member in the file, as another command does."""
        document = yaml.safe_load(self.path.read_text())
        document["rings"][0]["settings"]["members"][member][setting] = value
        self.path.write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.fixture
def rejoining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rejoining:
    return Rejoining(tmp_path, monkeypatch)


def test_a_member_is_in_when_its_hops_have_caught_up(rejoining: Rejoining) -> None:
    rejoining.run()
    assert [states[1] for states in rejoining.up] == [("rejoining", False), ("in", False)]


def test_what_was_paused_meanwhile_is_not_resumed(rejoining: Rejoining) -> None:
    rejoining.meanwhile = lambda: rejoining.write(2, "paused", True)
    with pytest.raises(InvalidRequestError, match=r"changed meanwhile.*Run the command again"):
        rejoining.run()
    assert len(rejoining.up) == 1

    rejoining.meanwhile = lambda: None
    rejoining.run()
    assert rejoining.up[-1] == [("in", False), ("in", False), ("in", True)]


def test_so_it_is_where_the_first_change_was_written_before(rejoining: Rejoining) -> None:
    rejoining.write(1, "state", "rejoining")
    rejoining.meanwhile = lambda: rejoining.write(2, "paused", True)
    with pytest.raises(InvalidRequestError, match="changed meanwhile"):
        rejoining.run()


def test_a_change_while_somebody_is_asked_is_not_undone(rejoining: Rejoining) -> None:
    rejoining.write(1, "state", "rejoining")
    (ring,) = read_rings(rejoining.path)

    def asked(_: object) -> bool:
        rejoining.write(2, "paused", True)
        return True

    with pytest.raises(InvalidRequestError, match="changed meanwhile"):
        rejoin(ring, BACK, callbacks=ChangeCallbacks(confirm=asked, deploy=rejoining._deploy))
    assert rejoining.up == []


@pytest.mark.parametrize("place", [0, 1], ids=["before it", "its own"])
def test_it_does_not_wait_for_a_hop_that_is_paused(rejoining: Rejoining, place: int) -> None:
    rejoining.write(place, "paused", True)
    with pytest.raises(InvalidRequestError, match=r"a paused hop never does.*automate\.py resume"):
        rejoining.run()
    assert rejoining.up == []


def test_a_paused_hop_elsewhere_is_no_matter(rejoining: Rejoining) -> None:
    rejoining.write(2, "paused", True)
    rejoining.run()
    assert rejoining.up[-1][1] == ("in", False)

"""What was quarantined is played again after others that came later: their word counts."""

from handler.model.records import read_change
from handler.protocol.hop import Action, Outcome
from handler.protocol.replay import replay
from tests.support.pair import ELSEWHERE, HERE, KEY, Pair, item, run, seen, version_at
from tests.unit.handler.protocol.test_replicate import arrived, deleted


class Shelved(Pair):
    """A pair of which the record at a place was quarantined."""

    def quarantine(self) -> None:
        """Pass the next record by."""
        self.shelved = self.done
        self.done += 1

    def redrive(self) -> Outcome:
        """Play what was quarantined."""
        return run(replay(read_change(self.here.stream[self.shelved]), self.hop))


def test_a_write_that_nothing_came_after_arrives_with_the_version_that_it_was_due() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.quarantine()
    assert pair.redrive().action is Action.REPLICATED
    assert seen(pair.there) == item("a")
    version = version_at(pair.there)
    assert (version.seconds, version.counter, version.sequence) == (1000, 0, 1)


def test_a_later_write_that_has_arrived_is_left_as_it_is() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("first"))
    pair.quarantine()
    pair.here.write(KEY, item("second"))
    pair.process()
    arrived_so = pair.there.items["1"]
    assert pair.redrive().action is Action.REFUSED
    assert pair.there.items["1"] == arrived_so


def test_a_later_write_of_a_clock_that_went_back_is_not_undone() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("first"))
    pair.quarantine()
    pair.now -= 1
    pair.here.write(KEY, item("second"))
    pair.process()
    pair.redrive()
    assert seen(pair.there) == seen(pair.here) == item("second")
    assert version_at(pair.there).counter == 1  # above what the first would get, also played again


def test_a_later_write_that_was_refused_for_want_of_this_one_wins() -> None:
    pair = Shelved()
    old = arrived("old", ELSEWHERE, seconds=5000)
    pair.there.write(KEY, old.item)
    pair.here.write(KEY, old.item)
    pair.process()
    pair.here.write(KEY, item("first"))
    pair.quarantine()
    pair.here.write(KEY, item("second"))
    assert [outcome.action for outcome in pair.process()] == [Action.REFUSED]
    pair.redrive()
    assert seen(pair.there) == item("second")
    assert version_at(pair.there) > old.version


def test_a_later_delete_of_a_clock_that_went_back_is_not_undone() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.quarantine()
    pair.now -= 1
    pair.here.write(KEY, None)
    pair.process()
    pair.redrive()
    assert seen(pair.there) is None
    assert pair.there.tombstones["1"].version.seconds == 1000
    assert pair.here.tombstones["1"] == pair.there.tombstones["1"]


def test_a_later_delete_whose_record_is_unread_follows_what_is_played_again() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.quarantine()
    pair.now -= 1
    pair.here.write(KEY, None)
    pair.redrive()
    pair.process()
    assert seen(pair.there) is None


def test_what_is_written_while_it_is_played_is_played_as_well() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("first"))
    pair.quarantine()
    work = replay(read_change(pair.here.stream[0]), pair.hop)
    work.send(None)
    work.send(None)  # the item was read
    pair.now -= 1
    pair.here.write(KEY, item("second"))
    pair.process()
    run(work)
    assert seen(pair.there) == item("second")


def test_a_delete_that_was_quarantined_does_not_take_away_what_was_put_since() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    pair.here.tombstones["1"] = deleted(HERE, seconds=1500, sequence=2)  # as far as it came
    pair.quarantine()
    pair.now -= 1
    pair.here.write(KEY, item("again"))
    pair.redrive()
    pair.process()
    assert seen(pair.there) == item("again")
    assert version_at(pair.there) > pair.here.tombstones["1"].version


def test_what_a_hop_replicated_since_is_held_against_it_by_version() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.quarantine()
    newer = arrived("newer", ELSEWHERE, seconds=5000)
    pair.here.write(KEY, newer.item)
    pair.process()
    assert pair.redrive().action is Action.REFUSED
    assert seen(pair.there) == seen(pair.here) == item("newer")


def test_a_delete_that_came_from_elsewhere_since_is_held_against_it_by_version() -> None:
    pair = Shelved()
    pair.here.write(KEY, item("a"))
    pair.quarantine()
    delete = deleted(ELSEWHERE, seconds=900)
    pair.here.write(KEY, delete.item)
    pair.here.tombstones["1"] = delete
    pair.here.write(KEY, None)
    pair.process()
    pair.redrive()
    assert seen(pair.there) == item("a")


def test_a_later_write_that_has_arrived_stays_though_the_quarantined_one_comes_after_a_delete() -> (
    None
):
    """The delete's version is above the second that both were made in."""
    pair = Shelved()
    pair.here.write(KEY, arrived("copy", ELSEWHERE, seconds=1000).item)
    pair.here.write(KEY, None)
    pair.process()
    pair.here.write(KEY, item("quarantined"))
    pair.quarantine()
    pair.here.write(KEY, arrived("other", ELSEWHERE, seconds=1000, sequence=9).item)
    pair.here.write(KEY, item("later"))
    pair.process()
    assert seen(pair.there) == item("later")
    pair.redrive()
    assert seen(pair.there) == seen(pair.here) == item("later")

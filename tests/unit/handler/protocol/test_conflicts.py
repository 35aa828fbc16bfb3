"""Which writes a hop reports as lost, where no member rejects them."""

from handler.protocol.hop import Action
from tests.support.pair import ELSEWHERE, HERE, KEY, THERE, Pair, item, seen
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def test_an_older_write_that_ends_its_lap_over_a_newer_one_is_a_conflict() -> None:
    pair = Pair()
    older = arrived("older", THERE, seconds=900)
    pair.there.write(KEY, item("older"))
    pair.here.write(KEY, item("newer"))
    pair.here.write(KEY, older.item)  # before any hop has read the newer one
    _, lap, *_ = pair.process()
    (conflict,) = lap.conflicts
    assert lap.action is Action.LAP_COMPLETED
    assert (conflict.lost, conflict.loser) == (older.version, older.item)
    assert conflict.won is not None
    assert conflict.won.replica == HERE.id
    assert seen(pair.here) == item("newer")


def test_it_is_one_as_well_when_its_record_is_delivered_again() -> None:
    pair = Pair()
    pair.there.write(KEY, item("older"))
    pair.here.write(KEY, item("newer"))
    pair.here.write(KEY, arrived("older", THERE, seconds=900).item)
    _, lap, *_ = pair.process()
    assert pair.deliver(1).conflicts == lap.conflicts != ()


def test_an_update_of_what_another_member_wrote_is_none() -> None:
    pair = Pair()
    pair.here.write(KEY, item("first"))
    pair.process()
    pair.there.write(KEY, item("second"))
    pair.here.write(KEY, arrived("second", THERE, seconds=1100).item)
    (lap,) = pair.process()
    assert (lap.action, lap.conflicts) == (Action.LAP_COMPLETED, ())


def test_what_slipped_in_behind_a_delete_is_a_conflict_with_it() -> None:
    pair = Pair()
    delete, first, second = (
        deleted(ELSEWHERE, seconds=950),
        arrived("first", THERE, seconds=900),
        arrived("second", THERE, seconds=901),
    )
    pair.here.tombstones["1"] = delete
    pair.here.write(KEY, first.item)
    pair.here.write(KEY, second.item)
    refused = pair.deliver(0)
    assert {conflict.lost for conflict in refused.conflicts} == {first.version, second.version}
    assert {conflict.won for conflict in refused.conflicts} == {delete.version}
    assert seen(pair.here) is None

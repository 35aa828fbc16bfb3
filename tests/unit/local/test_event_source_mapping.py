"""The mapping: what it reads, delivers, counts and gives up, round by round."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.lambda_emulator.batching import Policy
from local.lambda_emulator.event_source_mapping import EventMapping
from tests.support.samples import (
    NOON,
    STREAM,
    Clock,
    FakeDestination,
    FakeFunction,
    FakeStream,
    numbers,
    streamed,
)

REPORTING = Policy(reports_failures=True)


def settle(mapping: EventMapping, clock: Clock | None = None, rounds: int = 100) -> None:
    """Let a mapping work until nothing waits; the clock goes on where it has to wait."""
    for _ in range(rounds):
        worked = mapping.step()
        if not worked and not mapping.stats().waiting:
            return
        if clock and not worked:
            clock.time += 1
    pytest.fail(f"not settled: {mapping.stats()}")


def test_the_function_gets_records_as_lambda_shapes_them() -> None:
    events: list[Any] = []
    settle(EventMapping(FakeStream(streamed(1)), events.append, Policy()))
    (event,) = events
    assert event["Records"][0]["eventSourceARN"] == STREAM
    assert event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == int(NOON)


def test_everything_in_the_stream_is_delivered_once_and_in_order() -> None:
    function = FakeFunction()
    stream = FakeStream(*(streamed(number) for number in range(1, 6)))
    mapping = EventMapping(stream, function, Policy(batch_size=2))
    settle(mapping)
    assert function.calls == [[1, 2], [3, 4], [5]]
    stream.unread = [streamed(6)]
    settle(mapping)
    assert function.calls[3:] == [[6]]


def test_a_partial_failure_is_delivered_again_from_the_checkpoint() -> None:
    clock, function = Clock(), FakeFunction(2)
    mapping = EventMapping(FakeStream(*map(streamed, (1, 2, 3))), function, REPORTING, now=clock)
    mapping.step()
    function.poison.clear()
    settle(mapping, clock)
    assert function.calls == [[1, 2, 3], [2, 3]]


def test_a_change_of_function_and_policy_redelivers_what_is_not_done() -> None:
    clock, broken, working = Clock(), FakeFunction(2, raises=True), FakeFunction()
    stream = FakeStream(*map(streamed, (1, 2, 3)))
    mapping = EventMapping(stream, broken, Policy(batch_size=3), now=clock)
    mapping.step()
    mapping.change(working, Policy(batch_size=2))
    settle(mapping, clock)
    assert broken.calls == [[1, 2, 3]]
    assert working.calls == [[1, 2], [3]]


def test_an_answer_with_failures_counts_only_if_the_mapping_asks_for_it() -> None:
    function = FakeFunction(2)
    settle(EventMapping(FakeStream(*map(streamed, (1, 2, 3))), function, Policy()))
    assert function.calls == [[1, 2, 3]]


def test_a_stream_that_cannot_be_read_holds_up_nothing_that_was_read_before() -> None:
    class Ending(FakeStream):
        def read(self) -> Sequence[Mapping[str, Any]]:
            if not self.unread:
                raise OSError("ended")
            return super().read()

    clock, function = Clock(), FakeFunction(2)
    mapping = EventMapping(Ending(*map(streamed, (1, 2))), function, REPORTING, now=clock)
    mapping.step()
    function.poison.clear()
    clock.time += 60
    with pytest.raises(OSError, match="ended"):
        mapping.step()
    assert function.calls == [[1, 2], [2]]


def test_an_error_fails_the_whole_batch() -> None:
    clock, function = Clock(), FakeFunction(2, raises=True)
    mapping = EventMapping(FakeStream(*map(streamed, (1, 2, 3))), function, REPORTING, now=clock)
    mapping.step()
    function.poison.clear()
    settle(mapping, clock)
    assert function.calls == [[1, 2, 3], [1, 2, 3]]


def test_a_bad_record_goes_to_the_destination_and_the_rest_is_delivered() -> None:
    clock, function, destination = Clock(), FakeFunction(2, raises=True), FakeDestination()
    policy = Policy(bisect=True, max_retries=1, reports_failures=True)
    stream = FakeStream(*map(streamed, (1, 2, 3, 4)))
    mapping = EventMapping(stream, function, policy, destination, clock)
    settle(mapping, clock)
    assert function.calls == [[1, 2, 3, 4], [1, 2], [1], [2], [2], [3, 4]]
    (lost,) = destination.taken
    assert (lost.reason, numbers(lost.batch.records)) == ("RetryAttemptsExhausted", [2])
    assert mapping.stats().given_up == 1
    assert mapping.stats().records == 3


def test_records_that_are_too_old_are_not_delivered_at_all() -> None:
    clock, function, destination = Clock(), FakeFunction(), FakeDestination()
    clock.time = NOON + 100
    stream = FakeStream(streamed(1, created=NOON), streamed(2, created=NOON + 90))
    settle(EventMapping(stream, function, Policy(max_age=60), destination, clock), clock)
    assert function.calls == [[2]]
    assert [lost.reason for lost in destination.taken] == ["RecordAgeExceeded"]


def test_what_cannot_be_put_away_is_not_lost() -> None:
    class Full(FakeDestination):
        def take(self, given_up: Any, now: float) -> None:
            if not self.taken:
                self.taken.append(given_up)
                raise OSError("full")
            super().take(given_up, now)

    clock, destination = Clock(), Full()
    policy = Policy(max_retries=0)
    mapping = EventMapping(
        FakeStream(streamed(1)), FakeFunction(1, raises=True), policy, destination, clock
    )
    mapping.step()
    with pytest.raises(OSError, match="full"):
        mapping.step()
    settle(mapping, clock)
    assert len(destination.taken) == 2


def test_parallel_lanes_keep_the_order_of_each_key_and_do_not_wait_for_each_other() -> None:
    clock, function = Clock(), FakeFunction(1, raises=True)
    keys = {number: f"key-{number % 20}" for number in range(1, 101)}
    stream = FakeStream(*(streamed(number, key) for number, key in keys.items()))
    mapping = EventMapping(stream, function, Policy(batch_size=5, parallel=4), now=clock)
    for _ in range(40):
        mapping.step()
    stuck = mapping.stats().waiting
    assert 0 < stuck < 60  # the lane of record 1, and no other
    function.poison.clear()
    settle(mapping, clock)
    assert len(function.calls) > 20
    for key in set(keys.values()):
        delivered = [number for call in function.calls for number in call if keys[number] == key]
        last = list(dict.fromkeys(reversed(delivered)))  # a repeated batch counts at its end
        assert last == sorted(last, reverse=True)
    assert {number for call in function.calls for number in call} == set(keys)


def test_stats_count_what_was_done_and_what_waits() -> None:
    clock, function = Clock(), FakeFunction(3)
    mapping = EventMapping(
        FakeStream(*(streamed(number, created=NOON + number) for number in (1, 2, 3))),
        function,
        REPORTING,
        now=clock,
    )
    clock.time = NOON + 10
    mapping.step()
    stats = mapping.stats()
    assert (stats.batches, stats.records, stats.failures) == (1, 2, 1)
    assert (stats.waiting, stats.oldest, stats.last_activity) == (1, NOON + 3, NOON + 10)


def test_a_paused_mapping_reads_and_delivers_nothing_until_it_is_resumed() -> None:
    function = FakeFunction()
    mapping = EventMapping(FakeStream(streamed(1)), function, Policy())
    mapping.pause()
    assert not mapping.step()
    assert function.calls == []
    mapping.resume()
    settle(mapping)
    assert function.calls == [[1]]


def test_what_was_being_read_when_its_region_is_lost_is_delivered_when_it_is_back() -> None:
    class Losing(FakeStream):
        def read(self) -> Sequence[Mapping[str, Any]]:
            found = super().read()
            mapping.lost = bool(found)
            return found

    function = FakeFunction()
    mapping = EventMapping(Losing(streamed(1)), function, Policy())
    mapping.step()
    assert function.calls == []
    mapping.lost = False
    settle(mapping)
    assert function.calls == [[1]]


def test_it_is_quiet_only_if_the_stream_was_looked_at_since_and_nothing_was_delivered() -> None:
    stream = FakeStream()
    mapping = EventMapping(stream, FakeFunction(), Policy())
    mapping.step()
    before = time.monotonic()
    assert mapping.was_quiet_after(before) is None
    mapping.step()
    assert mapping.was_quiet_after(before) is True
    stream.unread = [streamed(1)]
    mapping.step()
    assert mapping.was_quiet_after(before) is False
    after = time.monotonic()
    mapping.step()
    assert mapping.was_quiet_after(after) is True


def test_it_is_not_quiet_while_a_record_waits_to_be_retried() -> None:
    clock = Clock()
    mapping = EventMapping(
        FakeStream(streamed(1)), FakeFunction(1, raises=True), Policy(), now=clock
    )
    mapping.step()
    after = time.monotonic()
    mapping.step()
    assert mapping.was_quiet_after(after) is None


def test_in_its_thread_it_delivers_what_comes_and_outlives_trouble() -> None:
    class Flaky(FakeStream):
        broken = True

        def read(self) -> Sequence[Mapping[str, Any]]:
            if self.broken:
                raise ConnectionError("no stream there")
            return super().read()

    stream, function = Flaky(streamed(1)), FakeFunction()
    mapping = EventMapping(stream, function, Policy())
    mapping.start(idle=0.01)
    try:
        wait_for(lambda: mapping.stats().trouble == "ConnectionError: no stream there")
        stream.broken = False
        wait_for(lambda: function.calls == [[1]])
        wait_for(lambda: mapping.stats().trouble is None)
    finally:
        mapping.close()
    stream.unread = [streamed(2)]
    time.sleep(0.03)
    assert function.calls == [[1]]


def test_a_record_that_cannot_be_handed_over_is_kept_with_those_beside_it() -> None:
    odd = {name: part for name, part in streamed(2).items() if name != "dynamodb"}
    stream, function = FakeStream(streamed(1), odd), FakeFunction()
    mapping = EventMapping(stream, function, Policy())
    for _ in range(2):
        with pytest.raises(KeyError):
            mapping.step()
    assert function.calls == []
    odd |= streamed(2)
    while mapping.step():
        pass
    assert [number for call in function.calls for number in call] == [1, 2]


def wait_for(condition: Any, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)

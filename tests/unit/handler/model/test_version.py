"""The version of a write: a text that orders as its parts do, and that nobody can make up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.model.version import Version
from tests.support.stream_records import version

HEX = "0123456789abcdef"
# Small numbers too, so that parts are often equal and the later ones decide.
SECONDS = st.integers(0, 3) | st.integers(0, 9_999_999_999)
COUNTERS = st.integers(0, 3) | st.integers(0, 999_999)
REPLICAS = st.sampled_from(["00000000", "0000000a", "ffffffff"]) | st.text(
    HEX, min_size=8, max_size=8
)
SEQUENCES = st.integers(0, 3) | st.integers(0, 10**40 - 1)
DIGESTS = st.text(HEX, min_size=16, max_size=16)
PLACES = st.tuples(SECONDS, COUNTERS, REPLICAS, SEQUENCES)
VERSIONS = st.builds(Version.make, SECONDS, COUNTERS, REPLICAS, SEQUENCES, DIGESTS)

TEXT = "1700000000-000000-0a1b2c3d-" + "9" * 40 + "-0123456789abcdef"


@given(PLACES, PLACES, DIGESTS, DIGESTS)
def test_texts_order_as_seconds_then_counter_then_replica_then_sequence(
    one: tuple[int, int, str, int],
    other: tuple[int, int, str, int],
    one_digest: str,
    other_digest: str,
) -> None:
    if one != other:
        texts = str(Version.make(*one, one_digest)), str(Version.make(*other, other_digest))
        assert (texts[0] < texts[1]) == (one < other)


@given(VERSIONS)
def test_all_versions_have_one_width(made: Version) -> None:
    assert len(made) == len(TEXT)


@given(PLACES, DIGESTS)
def test_a_version_that_is_read_back_tells_what_it_was_made_of(
    place: tuple[int, int, str, int], digest: str
) -> None:
    read = Version.parse(str(Version.make(*place, digest)))
    assert read is not None
    assert (read.seconds, read.counter, read.replica, read.sequence) == place
    assert read.digest == digest


def test_the_longest_sequence_number_of_a_stream_fits() -> None:
    made = Version.make(1_700_000_000, 0, "0a1b2c3d", int("9" * 40), "0123456789abcdef")
    assert made == TEXT
    assert Version.parse(made) == made


def test_the_shortest_sequence_number_of_a_stream_sorts_below_the_longest() -> None:
    assert version(sequence=int("9" * 21)) < version(sequence=int("1" + "0" * 39))


def test_a_counter_that_is_used_up_carries_into_the_seconds() -> None:
    last = Version.make(10, 999_999, "0a1b2c3d", 1, "0" * 16)
    after = Version.make(10, 1_000_000, "0a1b2c3d", 1, "0" * 16)
    assert (after.seconds, after.counter) == (11, 0)
    assert last < after < Version.make(11, 1, "0a1b2c3d", 1, "0" * 16)


@pytest.mark.parametrize(
    "made_up",
    [
        "",
        "1",
        "zzz",
        TEXT[1:],
        TEXT + "0",
        TEXT + "\n",
        " " + TEXT[1:],
        TEXT.upper(),
        TEXT.replace("-", "_"),
        TEXT.replace("-", ""),
        TEXT.replace("1700000000", "170000000a"),
        TEXT.replace("1700000000", "-170000000"),
        TEXT.replace("0a1b2c3d", "0a1b2c3g"),
        TEXT.replace("1700000000", "١٧٠٠٠٠٠٠٠٠"),
        TEXT.encode(),
        1_700_000_000,
        None,
        [TEXT],
        {"S": TEXT},
    ],
)
def test_what_was_made_up_is_no_version(made_up: object) -> None:
    assert Version.parse(made_up) is None


@given(VERSIONS, st.integers(0, len(TEXT) - 1), st.characters())
def test_a_text_that_is_too_short_or_too_long_is_no_version(
    made: Version, place: int, more: str
) -> None:
    assert Version.parse(made[:place] + made[place + 1 :]) is None
    assert Version.parse(made[:place] + more + made[place:]) is None


@given(VERSIONS, st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_a_text_that_is_a_version_could_have_been_made_from_its_parts(
    made: Version, place: int, other: str
) -> None:
    read = Version.parse(made[:place] + other + made[place + 1 :])
    if read is not None:
        again = (read.seconds, read.counter, read.replica, read.sequence, read.digest)
        assert Version.make(*again) == read


def test_a_write_that_was_given_a_later_version_is_still_the_same_write() -> None:
    first = Version.make(10, 0, "0a1b2c3d", 77, "1" * 16)
    assert first.is_same_write(Version.make(11, 5, "0a1b2c3d", 77, "2" * 16))


def test_writes_of_other_members_and_other_records_are_other_writes() -> None:
    first = Version.make(10, 0, "0a1b2c3d", 77, "1" * 16)
    assert not first.is_same_write(Version.make(10, 0, "0a1b2c3e", 77, "1" * 16))
    assert not first.is_same_write(Version.make(10, 0, "0a1b2c3d", 78, "1" * 16))

"""The version of a write: bytes that order as its parts do, and that nobody can make up."""

from itertools import pairwise
from random import Random

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
SEQUENCES = (
    st.integers(0, 3)
    | st.integers(0, 10**40 - 1)
    | st.builds(lambda bits, less: 2**bits - less, st.integers(1, 132), st.integers(0, 1))
)
DIGESTS = st.text(HEX, min_size=16, max_size=16)
PLACES = st.tuples(SECONDS, COUNTERS, REPLICAS, SEQUENCES)
VERSIONS = st.builds(Version.make, SECONDS, COUNTERS, REPLICAS, SEQUENCES, DIGESTS)

TEXT = "1700000000-000000-0a1b2c3d-" + "9" * 40 + "-0123456789abcdef"
MADE = Version.make(1_700_000_000, 0, "0a1b2c3d", 10**40 - 1, "0123456789abcdef")
SMALL = Version.make(5, 0, "0a1b2c3d", 255, "0123456789abcdef")


@given(PLACES, PLACES, DIGESTS, DIGESTS)
def test_bytes_order_as_seconds_then_counter_then_replica_then_sequence_then_digest(
    one: tuple[int, int, str, int],
    other: tuple[int, int, str, int],
    one_digest: str,
    other_digest: str,
) -> None:
    versions = Version.make(*one, one_digest), Version.make(*other, other_digest)
    below = (*one, one_digest) < (*other, other_digest)
    assert (bytes(versions[0]) < bytes(versions[1])) == (versions[0] < versions[1]) == below
    assert (str(versions[0]) < str(versions[1])) == below
    assert (versions[0] == versions[1]) == ((*one, one_digest) == (*other, other_digest))


def test_a_longer_sequence_number_is_above_every_shorter_one() -> None:
    numbers = [0, 1, *(2**bits + more for bits in range(8, 133, 4) for more in (-1, 0, 1))]
    made = [version(sequence=number) for number in sorted({*numbers, 10**40 - 1})]
    assert all(first < second for first, second in pairwise(made))


@given(PLACES, DIGESTS)
def test_a_version_that_is_read_back_has_what_it_was_made_of(
    place: tuple[int, int, str, int], digest: str
) -> None:
    made = Version.make(*place, digest)
    for read in (Version.parse(bytes(made)), Version.from_text(str(made))):
        assert read == made
        assert (read.seconds, read.counter, read.replica, read.sequence) == place
        assert read.digest == digest


def test_the_text_of_a_version_has_its_parts_in_their_order() -> None:
    assert str(MADE) == f"{MADE}" == TEXT


@pytest.mark.parametrize(("digits", "size"), [(21, 29), (22, 30), (24, 30), (40, 37)])
def test_a_version_takes_few_bytes(digits: int, size: int) -> None:
    assert len(version(sequence=10**digits - 1)) == size


def test_the_longest_sequence_number_of_a_stream_fits() -> None:
    assert Version.parse(bytes(MADE)) == MADE
    assert MADE.sequence == int("9" * 40)


def test_the_shortest_sequence_number_of_a_stream_sorts_below_the_longest() -> None:
    assert version(sequence=int("9" * 21)) < version(sequence=int("1" + "0" * 39))


def test_a_counter_that_is_used_up_overflows_into_the_seconds() -> None:
    last = Version.make(10, 999_999, "0a1b2c3d", 1, "0" * 16)
    after = Version.make(10, 1_000_000, "0a1b2c3d", 1, "0" * 16)
    assert (after.seconds, after.counter) == (11, 0)
    assert last < after < Version.make(11, 1, "0a1b2c3d", 1, "0" * 16)


@pytest.mark.parametrize(
    "made_up",
    [
        b"",
        b"\x00",
        b"zzz",
        b"\xff" * 30,
        b"\x00" * 22,
        MADE[1:],
        MADE + b"\x00",
        MADE[:11] + b"\x12" + MADE[12:],
        (10**16).to_bytes(7) + MADE[7:],
        MADE[:12] + (10**40).to_bytes(17) + MADE[29:],
        SMALL[:11] + b"\x02\x00\xff" + SMALL[13:],
        SMALL[:11] + b"\x01\x00" + SMALL[13:],
        TEXT.encode(),
        TEXT,
        str(SMALL),
        bytearray(MADE),
        1_700_000_000,
        None,
        [MADE],
        {"B": MADE},
    ],
)
def test_what_was_made_up_is_no_version(made_up: object) -> None:
    assert Version.parse(made_up) is None


@pytest.mark.parametrize(
    "made_up",
    [
        "",
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
        MADE,
        None,
        {"S": TEXT},
    ],
)
def test_a_text_that_was_made_up_is_that_of_no_version(made_up: object) -> None:
    assert Version.from_text(made_up) is None


@given(VERSIONS, st.integers(0, 40), st.binary(min_size=1, max_size=1))
def test_bytes_that_are_too_few_or_too_many_are_no_version(
    made: Version, place: int, more: bytes
) -> None:
    place %= len(made)
    for other in (made[:place] + made[place + 1 :], made[:place] + more + made[place:]):
        read = Version.parse(other)
        assert read is None or is_made_of_its_parts(read)


@given(VERSIONS, st.integers(0, 40), st.integers(0, 255))
def test_bytes_that_are_a_version_could_have_been_made_from_its_parts(
    made: Version, place: int, other: int
) -> None:
    place %= len(made)
    read = Version.parse(made[:place] + bytes([other]) + made[place + 1 :])
    assert read is None or is_made_of_its_parts(read)


@pytest.mark.parametrize("size", range(45))
def test_any_bytes_are_no_version_or_could_have_been_made_from_its_parts(size: int) -> None:
    draw = Random(size)
    for _ in range(50):
        length = bytes([draw.choice((0, size - 20, draw.randrange(256))) % 256])
        read = Version.parse((draw.randbytes(11) + length + draw.randbytes(size))[:size])
        assert read is None or is_made_of_its_parts(read)


def is_made_of_its_parts(read: Version) -> bool:
    """Return whether a version is the one form of its parts, and its text that of no other."""
    parts = (read.seconds, read.counter, read.replica, read.sequence, read.digest)
    return Version.make(*parts) == read == Version.from_text(str(read))


def test_a_write_that_was_given_a_later_version_is_still_the_same_write() -> None:
    first = Version.make(10, 0, "0a1b2c3d", 77, "1" * 16)
    assert first.is_same_write(Version.make(11, 5, "0a1b2c3d", 77, "2" * 16))


def test_writes_of_other_members_and_other_records_are_other_writes() -> None:
    first = Version.make(10, 0, "0a1b2c3d", 77, "1" * 16)
    assert not first.is_same_write(Version.make(10, 0, "0a1b2c3e", 77, "1" * 16))
    assert not first.is_same_write(Version.make(10, 0, "0a1b2c3d", 78, "1" * 16))
    assert not first.is_same_write(Version.make(10, 0, "0a1b2c3d", 77 + 256, "1" * 16))

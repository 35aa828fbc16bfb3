"""HTTP responses: parsed as http.client does, and refused where they are ambiguous."""

import asyncio
import http.client
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.aws.http_response import MAX_BODY_BYTES, Response, read_response
from tests.support.http_host import answer

HEADERS = st.lists(
    st.sampled_from(
        ["Server: Server", "x-amzn-RequestId:1", "x-amz-crc32:  2745614147 ", "Date: "]
    ),
    unique=True,
)
CHUNKS = st.lists(st.binary(min_size=1, max_size=300), max_size=4)


def in_chunks(chunks: Sequence[bytes]) -> bytes:
    body = b"".join(f"{len(one):x};a=b\r\n".encode() + one + b"\r\n" for one in chunks)
    return body + b"0\r\n\r\n"


@settings(deadline=None)
@given(
    headers=HEADERS,
    chunks=CHUNKS,
    chunked=st.booleans(),
    status=st.sampled_from([200, 400, 503]),
    pieces=st.lists(st.integers(1, 40)),
)
def test_an_answer_is_read_as_http_client_reads_it_however_it_comes_in_pieces(
    headers: list[str], chunks: list[bytes], chunked: bool, status: int, pieces: list[int]
) -> None:
    data = answer(b"".join(chunks), *headers, status=status)
    if chunked:
        lines = [f"HTTP/1.1 {status} OK", *headers, "Transfer-Encoding: chunked", "", ""]
        data = "\r\n".join(lines).encode() + in_chunks(chunks)
    ours = asyncio.run(_fed(data, pieces))
    theirs = http.client.HTTPResponse(_Heard(data))  # type: ignore[arg-type]
    theirs.begin()
    assert (ours.status, ours.body) == (theirs.status, theirs.read())
    expected = {name.lower(): value.strip() for name, value in theirs.getheaders()}
    assert {name.decode(): value.decode() for name, value in ours.headers.items()} == expected


class _Heard:
    """A socket from which these bytes come."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._data)


async def _fed(data: bytes, pieces: Sequence[int]) -> Response:
    """Read an answer that comes in pieces of these sizes, and the rest at last."""
    reader = asyncio.StreamReader()
    reading = asyncio.ensure_future(read_response(reader))
    for size in pieces:
        if data[:size]:
            reader.feed_data(data[:size])
        data = data[size:]
        await asyncio.sleep(0)
    if data:
        reader.feed_data(data)
    return await reading


def read(data: bytes) -> Response:
    """Read an answer after which the connection ends."""

    async def fed() -> Response:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_response(reader)

    return asyncio.run(fed())


def with_lines(*lines: str, status: str = "HTTP/1.1 200 OK", body: bytes = b"12345") -> bytes:
    return "\r\n".join([status, *lines, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize(
    "length",
    [
        *("+5", "-5", "0x5", "5_", "0_5", "5.0", "5e0", "five", ""),
        *("5, 5", "5;5", "5 5", "\x0b5", "5\x0c", "\xb25", "\xb2", "1" * 17, "1" * 5_000),
    ],
)
def test_a_length_that_is_not_digits_alone_is_refused(length: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        read(with_lines(f"Content-Length: {length}"))


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5", "content-length: 4"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
    ],
)
def test_what_is_said_twice_of_a_length_is_refused(lines: Sequence[str]) -> None:
    with pytest.raises(ValueError, match="given twice"):
        read(with_lines(*lines, body=b"5\r\n12345\r\n0\r\n\r\n"))


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding:",),
    ],
)
def test_chunks_beside_a_length_or_of_an_unknown_kind_are_refused(lines: Sequence[str]) -> None:
    with pytest.raises(ValueError, match="has to be chunked"):
        read(with_lines(*lines, body=b"5\r\n12345\r\n0\r\n\r\n"))


def test_chunks_of_an_old_http_are_refused() -> None:
    with pytest.raises(ValueError, match="has to be chunked"):
        read(with_lines("Transfer-Encoding: chunked", status="HTTP/1.0 200 OK", body=b"0\r\n\r\n"))


@pytest.mark.parametrize(
    "size",
    ["+5", "0x5", "5_", "0_5", " 5", "5 ", "\t5", "-5", "", "\xb2", "5 ;a=b", "0" * 17 + "5"],
)
def test_the_size_of_a_chunk_that_is_not_hex_digits_alone_is_refused(size: str) -> None:
    body = f"{size}\r\n12345\r\n0\r\n\r\n".encode("latin-1")
    with pytest.raises(ValueError, match="invalid syntax"):
        read(with_lines("Transfer-Encoding: chunked", body=body))


@pytest.mark.parametrize(
    "line",
    [
        " folded",
        "\tfolded",
        "Server : it",
        "Ser ver: it",
        ": it",
        "Server",
        "Server: a\nContent-Length: 4",
        "Server: a\rb",
        "Server: a\x00b",
        "S\xe9rver: it",
    ],
)
def test_a_header_that_another_reader_may_take_otherwise_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        read(with_lines("Date: now", line, "Content-Length: 5"))


@pytest.mark.parametrize(
    "status",
    [
        *("HTTP/1.1 +20 OK", "HTTP/1.1 2_0 OK", "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1  200"),
        *("HTTP/1.1 100 Continue", "HTTP/1.2 200 OK", "HTTP/11 200 OK", "http/1.1 200 OK"),
        *("HTTP/1.1 600 No", "HTTP/1.1 \xb2\xb2\xb2 OK", "HTTP/1.1 200 O\nK", ""),
    ],
)
def test_a_first_line_that_is_no_status_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        read(with_lines("Content-Length: 5", status=status))


def test_an_answer_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a Content-Length nor chunks"):
        read(with_lines("Date: now"))


def test_the_largest_answer_is_read_and_one_byte_more_is_refused_unread() -> None:
    assert len(read(answer(b"x" * MAX_BODY_BYTES)).body) == MAX_BODY_BYTES
    with pytest.raises(ValueError, match=f"{MAX_BODY_BYTES + 1} bytes"):
        read(with_lines(f"Content-Length: {MAX_BODY_BYTES + 1}"))


def test_chunks_that_are_too_much_together_are_refused_before_the_last_is_read() -> None:
    half = MAX_BODY_BYTES // 2
    chunk = f"{half:x}\r\n".encode() + b"x" * half + b"\r\n"
    whole = read(with_lines("Transfer-Encoding: chunked", body=2 * chunk + b"0\r\n\r\n"))
    assert len(whole.body) == MAX_BODY_BYTES
    with pytest.raises(ValueError, match=f"{MAX_BODY_BYTES + 1} bytes"):
        read(with_lines("Transfer-Encoding: chunked", body=2 * chunk + b"1\r\n"))


@pytest.mark.parametrize("size", ["f" * 16, "7" + "f" * 15])
def test_a_chunk_that_is_larger_than_any_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match="bytes, and DynamoDB sends at most"):
        read(with_lines("Transfer-Encoding: chunked", body=f"{size}\r\n".encode()))


@pytest.mark.parametrize(
    ("lines", "is_last"),
    [
        ([], False),
        (["Connection: keep-alive"], False),
        (["Connection: Close"], True),
        (["Connection: upgrade ,\tclose"], True),
        (["Connection: closed"], False),
    ],
)
def test_an_answer_says_whether_the_connection_ends_with_it(
    lines: Sequence[str], is_last: bool
) -> None:
    assert read(with_lines(*lines, "Content-Length: 5")).is_last is is_last

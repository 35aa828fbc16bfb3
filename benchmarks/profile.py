"""Profile the processor time of a record by part of the program, with a sampling profiler.

A timer interrupts the process after each slice of its processor time, kernel time included, and the
running code is counted. Unlike a tracing profiler this has almost no overhead.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from benchmarks.contenders import Contender, contenders
from benchmarks.records import Load, Record
from benchmarks.screen import Screen, number
from benchmarks.speed import one_core
from benchmarks.target import Conduct, target

_EVERY = 0.001
"""Sampling interval in seconds of processor time; systems may round it up to four milliseconds."""
_ELSE = "all else"

# The innermost call in one of these files determines the part; calls to other libraries, such as
# json and hashlib, count for their caller.
PARTS: dict[str, tuple[str, ...]] = {
    "reading the record": ("handler/model/records.py",),
    "attribute values": ("handler/model/attribute_values.py",),
    "digests and versions": ("handler/model/image.py", "handler/model/version.py"),
    "the protocol": tuple(
        f"handler/protocol/{name}.py"
        for name in ("replicate", "decide", "apply", "coalesce", "hop", "expiry_delete")
    ),
    "conditions and statements": (
        "handler/store/dynamodb.py",
        "handler/store/batching.py",
        "handler/store/request_batcher.py",
    ),
    "turns and counts": ("handler/retry.py",),
    "document of request and answer": (
        *("handler/aws/http_client.py", "botocore/serialize.py", "botocore/parsers.py"),
        *("botocore/validate.py", "botocore/model.py"),
    ),
    "signature and keys": (
        *("handler/aws/sigv4.py", "botocore/auth.py", "botocore/signers.py"),
        "botocore/credentials.py",
    ),
    "endpoint rules": ("botocore/endpoint_provider.py", "botocore/regions.py"),
    "hooks, retries, the client": (
        *("botocore/hooks.py", "botocore/handlers.py", "botocore/retries/", "botocore/client.py"),
        *("botocore/useragent.py", "botocore/utils.py", "botocore/context.py"),
    ),
    "HTTP and the socket": (
        *("handler/aws/connection.py", "handler/aws/connection_pool.py"),
        "handler/aws/http_response.py",
        *("asyncio/streams.py", "asyncio/selector_events.py"),
        *("urllib3/", "http/client.py", "email/", "/socket.py"),
        *("botocore/httpsession.py", "botocore/awsrequest.py", "botocore/endpoint.py"),
    ),
    "the event loop": ("handler/event_loop.py", "asyncio/", "/selectors.py"),
    "botocore's other parts": ("botocore/",),
}


def run(screen: Screen, scale: float) -> None:
    """Print the profile of updates, by (a) and by the hop."""
    counts = (max(10, int(400 * scale)), max(100, int(10_000 * scale)))
    with target(Conduct(20)) as endpoint, contenders(endpoint) as (one_by_one, *_, hop), one_core():
        measured = [
            _spent(contender, Load("updates", count=count).records())
            for contender, count in screen.progress(
                "Profile", list(zip((one_by_one, hop), counts, strict=True))
            )
        ]
    rows = [
        [part, *(number(spent[part]) if spent[part] else "" for spent in measured)]
        for part in (*PARTS, _ELSE)
    ]
    rows.append(["together", *(number(sum(spent.values())) for spent in measured)])
    title = "Profile: processor time a record by part, in ms: updates of 200 bytes, 20 ms"
    screen.table(title, ["", "(a)", "this hop"], rows)


def _spent(contender: Contender, records: Sequence[Record]) -> Counter[str]:
    """Return the processor time per record in milliseconds, by part."""
    contender.replicate(records[:64])
    gc.collect()
    looks: Counter[str] = Counter()
    before = time.process_time()
    with _looking(looks):
        contender.replicate(records)
    each = (time.process_time() - before) * 1000 / len(records) / max(1, looks.total())
    return Counter({part: count * each for part, count in looks.items()})


@contextmanager
def _looking(looks: Counter[str]) -> Iterator[None]:
    """Sample the running part while the context lasts."""

    def look(_: int, frame: FrameType | None) -> None:
        looks[part_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def part_of(frame: FrameType | None) -> str:
    """Return the part of the innermost call in a file of `PARTS`."""
    while frame is not None:
        file = frame.f_code.co_filename
        for part, files in PARTS.items():
            if any(name in file for name in files):
                return part
        frame = frame.f_back
    return _ELSE

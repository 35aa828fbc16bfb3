"""Where the processor time of a record goes, by part of the program: what runs, looked at often.

The system interrupts the process each time that it has used some processor time, the kernel's for
it included; whose code it was then is counted. Unlike a tracing profiler it costs next to nothing.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from benchmarks.records import Load, Record
from benchmarks.screen import Screen, number
from benchmarks.speed import one_core
from benchmarks.target import Conduct, target
from benchmarks.ways import Contender, ways

_EVERY = 0.001
"""Seconds of processor time between two looks; systems make four milliseconds of it."""
_ELSE = "all else"

# The innermost call in one of these files tells the part. What they call in libraries that are not
# named, such as json and hashlib, is theirs.
PARTS: dict[str, tuple[str, ...]] = {
    "reading the record": ("handler/model/records.py",),
    "attribute values": ("handler/model/attribute_values.py",),
    "digests and versions": ("handler/model/image.py", "handler/model/version.py"),
    "the protocol": tuple(
        f"handler/protocol/{name}.py" for name in ("replicate", "decide", "apply", "coalesce")
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
        *("handler/aws/connection_pool.py", "handler/aws/http_response.py"),
        *("asyncio/streams.py", "asyncio/selector_events.py"),
        *("urllib3/", "http/client.py", "email/", "/socket.py"),
        *("botocore/httpsession.py", "botocore/awsrequest.py", "botocore/endpoint.py"),
    ),
    "the event loop": ("asyncio/", "/selectors.py"),
    "botocore's other parts": ("botocore/",),
}


def run(screen: Screen, scale: float) -> None:
    """Print it for updates, of (a) and of this hop."""
    counts = (max(10, int(400 * scale)), max(100, int(10_000 * scale)))
    with target(Conduct(20)) as endpoint, ways(endpoint) as (one_by_one, *_, hop), one_core():
        measured = [
            _spent(way, Load("updates", count=count).records())
            for way, count in screen.progress(
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


def _spent(way: Contender, records: Sequence[Record]) -> Counter[str]:
    """Processor time a record in milliseconds, by part."""
    way.bring(records[:64])
    gc.collect()
    looks: Counter[str] = Counter()
    before = time.process_time()
    with _looking(looks):
        way.bring(records)
    each = (time.process_time() - before) * 1000 / len(records) / max(1, looks.total())
    return Counter({part: count * each for part, count in looks.items()})


@contextmanager
def _looking(looks: Counter[str]) -> Iterator[None]:
    """Count whose code runs, as long as the context lasts."""

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
    """The part that runs, by its innermost call in a file that has one."""
    while frame is not None:
        file = frame.f_code.co_filename
        for part, files in PARTS.items():
            if any(name in file for name in files):
                return part
        frame = frame.f_back
    return _ELSE

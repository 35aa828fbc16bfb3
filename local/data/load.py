"""Load a data file into a member, after checking all of it."""

from __future__ import annotations

import gzip
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from local.data.dynamodb_json import BadItemError
from local.data.items import Item, Schema, parse_line
from ring.text import counted, escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from rich.progress import Progress

    from local.data.batch_writer import BatchWriter

_GZIP = b"\x1f\x8b"
_SHOWN = 20
# Of one BatchWriteItem:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_BATCH = 25
_BATCH_BYTES = 15_000_000  # of the lines' text; DynamoDB's limit is 16 MB
_LONGEST_WAIT = 5.0
_LONGEST_LINE = 4 * 1024 * 1024
"""No valid item has a longer line: the worst case is a list of NULLs, which take 2 bytes of the
400 KB and 16 characters of DynamoDB JSON each."""
_MAX_MESSAGE = 300
"""Maximum length of an error message that is shown; it may quote a line."""


class LoadError(Exception):
    """The file cannot be loaded. Says which lines are invalid, and why."""


@dataclass(frozen=True)
class TargetTable:
    """A table to load into."""

    client: DynamoDBClient | BatchWriter
    name: str


@dataclass(frozen=True)
class CheckedFile:
    """A data file whose lines are all valid for a table's keys."""

    path: Path
    schema: Schema
    count: int


def load(
    path: Path, table: TargetTable, progress: Progress, wait: Callable[[float], None] = time.sleep
) -> int:
    """Check a data file and write it into a table; return the number of items.

    Raises `LoadError` before anything is written.
    """
    schema = Schema.of(table.client.describe_table(TableName=table.name)["Table"])
    return write(check(path, schema, progress), table, progress, wait)


def check(path: Path, schema: Schema, progress: Progress) -> CheckedFile:
    """Check every line of a data file. Raises `LoadError`.

    The file has one item per line: plain JSON objects, DynamoDB JSON, or DynamoDB's export to S3;
    gzip is detected. It is read twice, here and in `write`, rather than held in memory.
    """
    problems = _Problems()
    count = 0
    try:
        if path.exists() and not path.is_file():
            raise LoadError(f"{path} is not a regular file, which loading reads twice.")
        with _opened(path) as (raw, lines):
            task = progress.add_task(f"checking {path.name}", total=path.stat().st_size)
            for number, line in _numbered(lines):
                try:
                    parse_line(line, schema)
                except BadItemError as error:
                    problems.add(number, error)
                count += 1
                if count % 100 == 0:
                    progress.update(task, completed=raw.tell())
            progress.update(task, completed=raw.tell())
    except _EndlessLineError as error:
        problems.add(error.line, error)
    except (OSError, EOFError, zlib.error) as error:
        raise LoadError(f"{path} cannot be read: {error}. Nothing was loaded.") from error
    if problems.count:
        raise LoadError(f"{path}: {problems}")
    return CheckedFile(path, schema, count)


def write(
    checked: CheckedFile,
    table: TargetTable,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Write a checked file into a table; return the number of items.

    Raises `LoadError` if the file has changed since it was checked.
    """
    task = progress.add_task(f"loading {checked.path.name}", total=checked.count)
    try:
        for batch in _batches(checked.path, checked.schema):
            _write(batch, table, wait)
            progress.advance(task, len(batch))
    except (BadItemError, OSError, EOFError, zlib.error) as error:
        raise LoadError(
            f"{checked.path} was changed after it was checked: {error}. The lines before that were "
            "loaded. Load the file again."
        ) from error
    # Of lines with the same key in a batch, only the last one was counted.
    progress.update(task, completed=checked.count)
    return checked.count


class _EndlessLineError(BadItemError):
    """A line is longer than any item; `line` is its number. The rest of the file is skipped."""

    def __init__(self, line: int) -> None:
        super().__init__(
            f"longer than {_LONGEST_LINE // 2**20} MB, while an item has 400 KB at most; the rest "
            "of the file was not checked"
        )
        self.line = line


class _Problems:
    """The number of invalid lines, and messages for the first few of them."""

    def __init__(self) -> None:
        self.count = 0
        self._messages: list[str] = []

    def add(self, line: int, error: BadItemError) -> None:
        self.count += 1
        if len(self._messages) < _SHOWN:
            text = escape_unprintable(str(error))
            text = text if len(text) <= _MAX_MESSAGE else f"{text[: _MAX_MESSAGE - 3]}..."
            self._messages.append(f"  line {line}: {text}")

    def __str__(self) -> str:
        rest = self.count - len(self._messages)
        more = [f"  and {rest:,} more"] if rest else []
        head = f"{counted(self.count, 'line')} cannot be loaded. Nothing was loaded."
        return "\n".join([head, *self._messages, *more])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file; yield it and its unpacked content."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if packed:
            with gzip.open(raw) as unpacked:
                yield raw, unpacked  # type: ignore[misc]
        else:
            yield raw, raw


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers from 1, without blank ones."""
    for number, line in enumerate(iter(partial(lines.readline, _LONGEST_LINE + 1), b""), start=1):
        if len(line) > _LONGEST_LINE:
            raise _EndlessLineError(number)
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield number, text


def _batches(path: Path, schema: Schema) -> Iterator[list[Item]]:
    """Yield batches for BatchWriteItem; of lines with the same key in a batch, the last one."""
    batch: dict[tuple[Any, ...], Item] = {}
    size = 0
    with _opened(path) as (_, lines):
        for _, line in _numbered(lines):
            item = parse_line(line, schema)
            key = _identity(item, schema)
            if len(batch) == _BATCH or size + len(line) > _BATCH_BYTES:
                yield list(batch.values())
                batch, size = {}, 0
            batch[key] = item
            size += len(line)
    if batch:
        yield list(batch.values())


def _identity(item: Item, schema: Schema) -> tuple[Any, ...]:
    """Return the key in a comparable form: 1 and 1.0 are the same number."""
    values = [value for name in schema.keys for value in item[name].items()]
    return tuple(Decimal(value) if kind == "N" else value for kind, value in values)


def _write(batch: list[Item], table: TargetTable, wait: Callable[[float], None]) -> None:
    """Write a batch, and retry its unprocessed items."""
    requests: Any = {table.name: [{"PutRequest": {"Item": item}} for item in batch]}
    delay = 0.05
    while requests:
        requests = table.client.batch_write_item(RequestItems=requests)["UnprocessedItems"]
        if requests:
            wait(delay)
            delay = min(delay * 2, _LONGEST_WAIT)

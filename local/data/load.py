"""Load a file into a member: all of it is checked before any of it is written."""

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
from ring.settings.errors import escape_unprintable
from ring.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from rich.progress import Progress

_GZIP = b"\x1f\x8b"
_SHOWN = 20
# Of one BatchWriteItem:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
_BATCH = 25
_BATCH_BYTES = 15_000_000  # of a line's text; 16 MB is the limit
_LONGEST_WAIT = 5.0
_LONGEST_LINE = 4 * 1024 * 1024
"""No item's line is longer, however it is spelt: a list of NULLs takes 2 bytes of 400 KB for each,
and 16 characters of DynamoDB JSON."""
_TOLD = 300
"""Characters of a mistake that are shown: it may quote a line."""


class LoadError(Exception):
    """The file cannot be loaded, and nothing of it was. Says which lines are wrong, and why."""


@dataclass(frozen=True)
class TargetTable:
    """A table to load into."""

    client: DynamoDBClient
    name: str


@dataclass(frozen=True)
class CheckedFile:
    """A file of items of which every line was checked, against the keys of a table."""

    path: Path
    schema: Schema
    count: int


def load(
    path: Path, table: TargetTable, progress: Progress, wait: Callable[[float], None] = time.sleep
) -> int:
    """Check a file of items and write it into a table; return how many there were.

    Raises `LoadError` before anything is written.
    """
    schema = Schema.of(table.client.describe_table(TableName=table.name)["Table"])
    return write(check(path, schema, progress), table, progress, wait)


def check(path: Path, schema: Schema, progress: Progress) -> CheckedFile:
    """Check every line of a file of items. Raises `LoadError`.

    The file has one item a line: plain JSON objects, DynamoDB JSON, or DynamoDB's export to S3;
    gzip is recognised. It is read twice rather than held in memory: here, and in `write`.
    """
    mistakes = _Mistakes()
    count = 0
    try:
        if path.exists() and not path.is_file():
            raise LoadError(f"{path} is no file that can be read twice, as loading does.")
        with _opened(path) as (raw, lines):
            task = progress.add_task(f"checking {path.name}", total=path.stat().st_size)
            for number, line in _numbered(lines):
                try:
                    parse_line(line, schema)
                except BadItemError as error:
                    mistakes.add(number, error)
                count += 1
                if count % 100 == 0:
                    progress.update(task, completed=raw.tell())
            progress.update(task, completed=raw.tell())
    except _EndlessLineError as error:
        mistakes.add(error.line, error)
    except (OSError, EOFError, zlib.error) as error:
        raise LoadError(f"{path} cannot be read: {error}. Nothing was loaded.") from error
    if mistakes.count:
        raise LoadError(f"{path}: {mistakes}")
    return CheckedFile(path, schema, count)


def write(
    checked: CheckedFile,
    table: TargetTable,
    progress: Progress,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Write a checked file into a table; return how many items it had.

    Raises `LoadError` if somebody has changed the file since.
    """
    task = progress.add_task(f"loading {checked.path.name}", total=checked.count)
    try:
        for batch in _batches(checked.path, checked.schema):
            _write(batch, table, wait)
            progress.advance(task, len(batch))
    except (BadItemError, OSError, EOFError, zlib.error) as error:
        raise LoadError(
            f"{checked.path} was changed after it was checked: {error}. What stood before was "
            "loaded. Load it again."
        ) from error
    # Lines that replaced one another are not in a batch.
    progress.update(task, completed=checked.count)
    return checked.count


class _EndlessLineError(BadItemError):
    """A line is longer than any item; `line` is its number. The rest of the file is not read."""

    def __init__(self, line: int) -> None:
        super().__init__(
            f"it is longer than {_LONGEST_LINE // 2**20} MB, and an item has 400 KB at most; what "
            "follows was not looked at"
        )
        self.line = line


class _Mistakes:
    """What is wrong in a file: how many lines, and the first few of them."""

    def __init__(self) -> None:
        self.count = 0
        self._told: list[str] = []

    def add(self, line: int, error: BadItemError) -> None:
        self.count += 1
        if len(self._told) < _SHOWN:
            told = escape_unprintable(str(error))
            told = told if len(told) <= _TOLD else f"{told[: _TOLD - 3]}..."
            self._told.append(f"  line {line}: {told}")

    def __str__(self) -> str:
        lines = counted(self.count, "line")
        rest = self.count - len(self._told)
        more = [f"  and {rest:,} more"] if rest else []
        return "\n".join([f"{lines} cannot be loaded, and nothing was.", *self._told, *more])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file, and what is in it if it is packed."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if packed:
            with gzip.open(raw) as unpacked:
                yield raw, unpacked  # type: ignore[misc]
        else:
            yield raw, raw


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Number the lines from 1, and leave out those with nothing on them."""
    for number, line in enumerate(iter(partial(lines.readline, _LONGEST_LINE + 1), b""), start=1):
        if len(line) > _LONGEST_LINE:
            raise _EndlessLineError(number)
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield number, text


def _batches(path: Path, schema: Schema) -> Iterator[list[Item]]:
    """Gather items into batches that DynamoDB takes: of lines with one key, the last one counts."""
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
    """Return what is equal for items of the same key: 1 and 1.0 are one number."""
    values = [value for name in schema.keys for value in item[name].items()]
    return tuple(Decimal(value) if kind == "N" else value for kind, value in values)


def _write(batch: list[Item], table: TargetTable, wait: Callable[[float], None]) -> None:
    """Write a batch, and again what DynamoDB was too busy to take of it."""
    requests: Any = {table.name: [{"PutRequest": {"Item": item}} for item in batch]}
    delay = 0.05
    while requests:
        requests = table.client.batch_write_item(RequestItems=requests)["UnprocessedItems"]
        if requests:
            wait(delay)
            delay = min(delay * 2, _LONGEST_WAIT)

"""A stream that is switched off: read to its end, and kept apart from the table's next one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import Clients
from local.lambda_emulator.stream_reader import StreamEndedError, StreamReader
from tests.integration.local.lambda_emulator.test_stream_reader import REGION, Source, read

ON: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OFF: Any = {"StreamEnabled": False}


def _switch_off(source: Source, _: Clients) -> None:
    source.client.update_table(TableName=source.name, StreamSpecification=OFF)


def _delete(source: Source, _: Clients) -> None:
    source.client.delete_table(TableName=source.name)


def _switch_off_and_on(source: Source, clients: Clients) -> None:
    _switch_off(source, clients)
    source.client.update_table(TableName=source.name, StreamSpecification=ON)
    source.put(9)


def _delete_and_make_again(source: Source, clients: Clients) -> None:
    _delete(source, clients)
    Source(clients, source.name).put(9)


@pytest.mark.parametrize("end", [_switch_off, _delete, _switch_off_and_on, _delete_and_make_again])
def test_what_it_held_is_read_and_then_its_end_is_reported(
    clients: Clients, end: Callable[[Source, Clients], None]
) -> None:
    source = Source(clients, f"source-{uuid.uuid4()}")
    source.put(1)
    reader = StreamReader(source.streams, source.arn, "TRIM_HORIZON")
    assert read(reader) == [1]
    source.put(2)
    end(source, clients)
    late = StreamReader(source.streams, source.arn, "TRIM_HORIZON")
    assert (read(reader), read(late)) == ([2], [1, 2])
    for one in (reader, late):
        with pytest.raises(StreamEndedError, match=source.arn):
            one.read()


def test_the_stream_that_comes_after_is_another_one(clients: Clients) -> None:
    source = Source(clients, f"source-{uuid.uuid4()}")
    source.put(1)
    _switch_off_and_on(source, clients)
    table = source.client.describe_table(TableName=source.name)["Table"]
    assert table["LatestStreamArn"] != source.arn
    assert read(StreamReader(source.streams, table["LatestStreamArn"], "TRIM_HORIZON")) == [9]


def test_a_table_without_a_stream_is_written_to(clients: Clients) -> None:
    source = Source(clients, f"source-{uuid.uuid4()}")
    _switch_off(source, clients)
    source.put(1)
    assert source.client.scan(TableName=source.name)["Count"] == 1


def test_a_stream_that_never_was_is_not_found(clients: Clients) -> None:
    source = Source(clients, f"source-{uuid.uuid4()}")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        clients.streams(REGION).describe_stream(StreamArn=f"{source.arn}0")

"""Read a table's stream through the DynamoDB Streams API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

    from local.record_client import RecordClient

StartingPosition = Literal["TRIM_HORIZON", "LATEST"]
_MOST_RECORDS = 1000  # of one GetRecords


class StreamEndedError(Exception):
    """A stream was disabled and all its records were read. Says which, and what to do."""

    def __init__(self, arn: str) -> None:
        super().__init__(
            f"The stream {arn} has ended: it was disabled, or its table was deleted. All its "
            "records have been read. A stream that is enabled again has another ARN and needs a "
            "new mapping."
        )


class Reader(Protocol):
    """Reads a stream's records in order, each once."""

    arn: str
    partition_key: str

    def read(self) -> Sequence[Mapping[str, Any]]:
        """Return the next records, or none."""


class StreamReader:
    """Read the records of a stream in order, each once.

    After an error, reading continues after the last record that was returned. `partition_key` is
    the name of the table's attribute.
    """

    def __init__(
        self,
        client: DynamoDBStreamsClient | RecordClient,
        arn: str,
        starting_position: StartingPosition,
    ) -> None:
        self._client = client
        self.arn = arn
        self._start: StartingPosition = starting_position
        self._iterator: str | None = None
        self._last: str | None = None
        self._ended = False
        description = client.describe_stream(StreamArn=arn)["StreamDescription"]
        # moto and MiniStack have one shard per stream. Reading several in order (parents before
        # children) would be code that nothing here could execute.
        (shard,) = description["Shards"]
        self.shard: str = shard["ShardId"]
        self.partition_key: str = description["KeySchema"][0]["AttributeName"]
        if starting_position == "LATEST":
            self._iterator = self._open()

    def read(self) -> Sequence[Mapping[str, Any]]:
        """Return the next records, at most 1,000; none if there are no more for now.

        Raises botocore's `ClientError` or `BotoCoreError`, and `StreamEndedError` after the last
        record of a disabled stream.
        """
        if self._ended:
            raise StreamEndedError(self.arn)
        iterator, self._iterator = self._iterator or self._open(), None
        try:
            page = self._client.get_records(ShardIterator=iterator, Limit=_MOST_RECORDS)
        except self._client.exceptions.TrimmedDataAccessException:
            # The records at the iterator have been trimmed, so all that remain come after it. A
            # server that numbers all streams together raises this, too, if a stream's first record
            # has a higher number.
            iterator = self._open_at({"ShardIteratorType": "TRIM_HORIZON"})
            page = self._client.get_records(ShardIterator=iterator, Limit=_MOST_RECORDS)
        self._iterator = page.get("NextShardIterator")
        # A closed shard has a last page. If another shard follows it, as on a server that splits
        # streams, this reader cannot continue either.
        self._ended = self._iterator is None
        records = page["Records"]
        if records:
            self._last = records[-1]["dynamodb"]["SequenceNumber"]
        return records

    def _open(self) -> str:
        """Return an iterator after the last record, in place of a lost or expired one."""
        if self._last is None:
            return self._open_at({"ShardIteratorType": self._start})
        return self._open_at(
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        )

    def _open_at(self, position: Any) -> str:
        response = self._client.get_shard_iterator(
            StreamArn=self.arn, ShardId=self.shard, **position
        )
        return response["ShardIterator"]

"""Reads a table's stream through the DynamoDB Streams API, from one place on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

StartingPosition = Literal["TRIM_HORIZON", "LATEST"]
_MOST_RECORDS = 1000  # of one GetRecords


class StreamEndedError(Exception):
    """Nothing comes from a stream any more. Says which, why, and what to do."""

    def __init__(self, arn: str) -> None:
        super().__init__(
            f"The stream {arn} has ended: it was switched off, or its table was deleted. All that "
            "it held has been read. A stream that is switched on again has another ARN and needs "
            "a mapping of its own."
        )


class StreamReader:
    """Reads the records of one stream in order, each once.

    A reader may be asked again after any error: it goes on after the last record that it returned.
    `arn`, `shard` and `partition_key` (the attribute's name) say what it reads.
    """

    def __init__(
        self, client: DynamoDBStreamsClient, arn: str, starting_position: StartingPosition
    ) -> None:
        self._client = client
        self.arn = arn
        self._start: StartingPosition = starting_position
        self._iterator: str | None = None
        self._last: str | None = None
        self._ended = False
        description = client.describe_stream(StreamArn=arn)["StreamDescription"]
        # moto and MiniStack have one shard a stream. Reading several of them in the right
        # order (parents before children) would be code that nothing here could run.
        (shard,) = description["Shards"]
        self.shard: str = shard["ShardId"]
        self.partition_key: str = description["KeySchema"][0]["AttributeName"]
        if starting_position == "LATEST":
            self._iterator = self._open()

    def read(self) -> Sequence[Mapping[str, Any]]:
        """Return the next records, at most 1,000; none when there are no more for now.

        Raises botocore's `ClientError` or `BotoCoreError`, and `StreamEndedError` after the last
        record of a stream that was switched off.
        """
        if self._ended:
            raise StreamEndedError(self.arn)
        iterator, self._iterator = self._iterator or self._open(), None
        try:
            page = self._client.get_records(ShardIterator=iterator, Limit=_MOST_RECORDS)
        except self._client.exceptions.TrimmedDataAccessException:
            # Where the iterator stands there is nothing any more, so all that is left comes after.
            # A server whose streams share their numbers also says so where a stream's first record
            # has a higher one.
            iterator = self._open_at({"ShardIteratorType": "TRIM_HORIZON"})
            page = self._client.get_records(ShardIterator=iterator, Limit=_MOST_RECORDS)
        self._iterator = page.get("NextShardIterator")
        # A shard that is closed has a last page. Where another one follows it, as on a server
        # that splits streams, this reader cannot go on either.
        self._ended = self._iterator is None
        records = page["Records"]
        if records:
            self._last = records[-1]["dynamodb"]["SequenceNumber"]
        return records

    def _open(self) -> str:
        """Return an iterator from where reading stopped, so that a lost or old one is no loss."""
        if self._last is None:
            return self._open_at({"ShardIteratorType": self._start})
        return self._open_at(
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._last}
        )

    def _open_at(self, place: Any) -> str:
        answer = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=self.shard, **place)
        return answer["ShardIterator"]

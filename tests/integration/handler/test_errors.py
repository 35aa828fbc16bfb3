"""Which failures pass, which last, and which are the hop's own fault."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from handler.errors import FailureKind, classify, classify_response
from handler.model.records import UnreadableRecordError
from handler.protocol.apply import ContendedError
from handler.retry import DeadlineExceededError
from handler.store.dynamodb import ItemTooLargeError
from tests.support.dynamodb_servers import dynoxide, ministack
from tests.support.store_backends import KEY, _local_client


def answer(code: str, message: str = "", status: int = 400) -> ClientError:
    """An error as boto3 raises it."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "PutItem")


@pytest.mark.parametrize(
    "code",
    [
        "ExpiredTokenException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottledException",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "ThrottlingError",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "RequestTimeTooSkewed",
        "RequestExpired",
        "RequestInTheFuture",
        "OperationAborted",
    ],
)
def test_what_the_moment_is_to_blame_for_passes(code: str) -> None:
    assert classify(answer(code)) is FailureKind.TRANSIENT


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://there"),
        EndpointConnectionError(endpoint_url="https://there"),
        ReadTimeoutError(endpoint_url="https://there"),
        CredentialRetrievalError(provider="AWS", error_msg="no answer"),
        MetadataRetrievalError(error_msg="no answer"),
        ConnectionResetError(),
        ContendedError(),
        DeadlineExceededError(),
        answer("NeverHeardOf", status=503),
        answer("429", status=429),
        answer("408", status=408),
    ],
)
def test_a_region_that_cannot_be_reached_passes(error: Exception) -> None:
    assert classify(error) is FailureKind.TRANSIENT


WRONG_CLOCK = (
    "Signature expired: 20180920T174101Z is now earlier than 20180920T174504Z "
    "(20180920T175004Z - 5 min.)",
    "Signature not yet current: 20190305T002809Z is still later than 20190304T214315Z "
    "(20190304T212815Z + 15 min.)",
)
WRONG_KEY = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
@pytest.mark.parametrize("message", WRONG_CLOCK)
def test_a_signature_of_the_wrong_time_passes(code: str, message: str) -> None:
    assert classify(answer(code, message)) is FailureKind.TRANSIENT
    assert classify(answer(code, message, status=403)) is FailureKind.TRANSIENT


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
@pytest.mark.parametrize(
    "message", [WRONG_KEY, "", "Credential should be scoped to a valid region"]
)
def test_a_signature_by_the_wrong_key_is_the_hops_own_fault(code: str, message: str) -> None:
    assert classify(answer(code, message, status=403)) is FailureKind.FAULT


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "Signature"])
def test_another_error_that_speaks_of_signatures_is_no_matter_of_the_clock(code: str) -> None:
    assert classify(answer(code, WRONG_CLOCK[0])) is FailureKind.FAULT


@pytest.mark.parametrize(
    "error",
    [
        UnreadableRecordError("no"),
        ItemTooLargeError("no"),
        answer("ItemCollectionSizeLimitExceededException"),
        answer("SerializationException", "NUMBER_VALUE cannot be converted to String"),
        ParamValidationError(report="Invalid type for parameter Item.v.S, value: 5"),
    ],
)
def test_what_the_record_is_to_blame_for_lasts(error: Exception) -> None:
    assert classify(error) is FailureKind.PERMANENT


REFUSED_BY_THE_SERVICE = (
    "Item size has exceeded the maximum allowed size",
    "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: "
    "N IndexName: by-g",
    "One or more parameter values were invalid: Size limit exceeded for Index Key g Actual Size: "
    "2175 bytes Max Size: 2048 bytes IndexName: by-g",
    "One or more parameter values are not valid. A value specified for a secondary index key is "
    "not supported. The AttributeValue for a key attribute cannot contain an empty string value. "
    "IndexName: by-g, IndexKey: g",
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit",
    "Attempting to store more than 38 significant digits in a Number",
    "Number overflow. Attempting to store a number with magnitude larger than supported range",
)


@pytest.mark.parametrize("message", REFUSED_BY_THE_SERVICE)
@pytest.mark.parametrize("code", ["ValidationException", "ValidationError"])
def test_a_refusal_of_the_items_shape_lasts_as_the_service_words_it(
    code: str, message: str
) -> None:
    assert classify_response(code, message) is FailureKind.PERMANENT


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDeniedException"),
        answer("ResourceNotFoundException"),
        answer("KMSAccessDeniedException"),
        answer("KMSDisabledException"),
        answer("UnrecognizedClientException"),
        answer("NoSuchBucket"),
        answer("NeverHeardOf"),
        answer("ValidationException", "The provided key element does not match the schema"),
        answer("ValidationException", "Type mismatch for key k expected: S actual: N"),
        answer("ValidationException", "Missing the key k in the item"),
        answer("ValidationException", "nobody has seen this yet"),
        ParamValidationError(report="Invalid length for parameter TableName, value: 0"),
        NoCredentialsError(),
        KeyError("a mistake in this program"),
    ],
)
def test_all_else_is_the_hops_own_fault(error: Exception) -> None:
    assert classify(error) is FailureKind.FAULT


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"M": {"a": value}}
    return value


SERVERS: dict[str, Callable[[], str]] = {"dynoxide": dynoxide, "MiniStack": ministack}


@pytest.fixture(scope="module", params=SERVERS)
def indexed(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a server that has a table with an index on ``g``, a text."""
    client = _local_client(SERVERS[request.param]())
    client.create_table(
        TableName="indexed",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "kg"],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    yield client
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName="indexed")


REFUSED: dict[str, dict[str, Any]] = {
    "an index's key of another type": {"g": {"N": "1"}},
    "an index's key of no type of a key": {"g": {"L": []}},
    "an index's key that is empty": {"g": {"S": ""}},
    "an index's key that is too long": {"g": {"S": "x" * 3000}},
    "too large": {"v": {"S": "x" * 409_600}},
    "too deep": {"v": deep(40)},
    "a number that is too large": {"v": {"N": "1E+200"}},
    "a number that is too small": {"v": {"N": "1E-200"}},
    "a number of too many digits": {"v": {"N": "1" * 45}},
    "no number": {"v": {"N": "a number"}},
    "an empty set": {"v": {"SS": []}},
    "a text twice in a set": {"v": {"SS": ["a", "a"]}},
    "a number twice in a set": {"v": {"NS": ["1", "1.0"]}},
    "no value": {"v": {}},
    "null that is none": {"v": {"NULL": False}},
    "a name that is too long": {"n" * 70_000: {"S": "x"}},
    "an empty name": {"": {"S": "x"}},
    "an empty key": {"k": {"S": ""}},
    "a key that is too long": {"k": {"S": "x" * 2_100}},
}
DIFFERENT: dict[tuple[str, str], str] = {
    ("dynoxide", "an index's key that is too long"): "dynoxide takes it",
    ("dynoxide", "a name that is too long"): "dynoxide takes it",
    ("MiniStack", "an index's key that is too long"): "MiniStack takes it",
    ("MiniStack", "a name that is too long"): "MiniStack takes it",
    ("MiniStack", "an empty name"): "MiniStack takes it",
    ("MiniStack", "a key that is too long"): "MiniStack refuses it in words of its own",
}
"""Where a server differs from DynamoDB (see docs/explanation/servers.md)."""


@pytest.mark.parametrize("refused", REFUSED)
def test_an_item_that_dynamodb_refuses_lasts(
    indexed: Any, refused: str, request: pytest.FixtureRequest
) -> None:
    server = request.node.callspec.params["indexed"]
    if how := DIFFERENT.get((server, refused)):
        request.applymarker(pytest.mark.xfail(strict=True, reason=how))
    with pytest.raises((ClientError, ParamValidationError)) as refusal:
        indexed.put_item(TableName="indexed", Item={**KEY, **REFUSED[refused]})
    assert classify(refusal.value) is FailureKind.PERMANENT


# Where no server at hand refuses: DynamoDB's documented limits, in the words that were seen.
@pytest.mark.parametrize(
    "message",
    [
        "One or more parameter values were invalid: Size limit exceeded for Index Key g Actual "
        "Size: 3000 bytes Max Size: 2048 bytes IndexName: by-g",
        "Attribute name is too large, must be less than 65536 bytes",
    ],
)
def test_a_limit_that_no_server_here_keeps_is_known_by_its_words(message: str) -> None:
    assert classify_response("ValidationException", message) is FailureKind.PERMANENT


@pytest.mark.parametrize(
    ("operation", "request_of_a_wrong_hop"),
    [
        ("put_item", {"TableName": "nowhere", "Item": KEY}),
        ("put_item", {"TableName": "indexed", "Item": {"k": {"N": "1"}}}),
        ("put_item", {"TableName": "indexed", "Item": {"id": {"S": "1"}}}),
        ("get_item", {"TableName": "indexed", "Key": {"k": {"N": "1"}}}),
        ("get_item", {"TableName": "indexed", "Key": {"id": {"S": "1"}}}),
        ("delete_item", {"TableName": "indexed", "Key": {**KEY, "s": {"S": "1"}}}),
    ],
)
def test_a_table_that_is_gone_or_has_another_key_is_the_hops_fault(
    indexed: Any, operation: str, request_of_a_wrong_hop: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(indexed, operation)(**request_of_a_wrong_hop)
    assert classify(refusal.value) is FailureKind.FAULT

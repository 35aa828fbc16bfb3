"""Classify errors by what has to happen to the record. Pure: no store, no clock.

==========  ======================================  =============================================
kind        cause                                   the record
==========  ======================================  =============================================
transient   the moment: throttled, timed out,       is retried while the function has time, and
            unreachable, expired credentials, a     then delivered again, in order
            signature of the wrong time
permanent   the record: it cannot be parsed, or     goes to the quarantine at once, and the shard
            the target rejects its item             goes on
fault       the hop: no access, no table, another   stays in the stream, and an alarm fires; it is
            key schema, stream or view type, or a   never quarantined, or a fault would empty the
            bug in this program                     stream into the quarantine
==========  ======================================  =============================================

Unknown errors are faults: the record stays in the stream and an alarm fires.
"""

from enum import StrEnum

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    ParamValidationError,
)

from handler.aws.signature_errors import is_clock_skew
from handler.model.records import UnreadableRecordError
from handler.protocol.apply import ContendedError
from handler.retry import DeadlineExceededError
from handler.store.dynamodb import ItemTooLargeError


class FailureKind(StrEnum):
    """Cause of a failure. The values are those of ``kind`` in the log."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    FAULT = "fault"


# Without their ending: a call fails with "ThrottlingException", a statement of a batch with
# "ThrottlingError".
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# Other services' codes for a wrong clock and for too many requests, from the SDKs' own list:
# https://github.com/aws/aws-sdk-js-v3/blob/main/packages/service-error-classification/src/constants.ts
_TRANSIENT_CODES = frozenset(
    {
        "ExpiredToken",
        "Internal",
        "InternalFailure",
        "InternalServer",
        "LimitExceeded",
        "OperationAborted",
        "ProvisionedThroughputExceeded",
        "ReplicatedWriteConflict",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "SlowDown",
        "Throttled",
        "Throttling",
        "TooManyRequests",
        "TransactionConflict",
        "TransactionInProgress",
    }
)
# Request Timeout and Too Many Requests, which a proxy or a gateway may send without a document.
_TRANSIENT_STATUSES = frozenset({408, 429})

# A table with local indexes takes no more than 10 GB of one partition key.
_PERMANENT_CODES = frozenset({"ItemCollectionSizeLimitExceeded", "Serialization"})

# Parts of the messages with which a ValidationException rejects an item, in lower case. AWS
# documents the limits, not the messages: these are from servers that copy DynamoDB and from public
# reports of the service (docs/how-to/troubleshoot.md lists what they mean).
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_ITEM_VALIDATION_MESSAGES = (
    "size has exceeded the maximum",
    "type mismatch for index key",
    "secondary index key is not supported",
    "cannot contain an empty",
    "may not contain an empty",
    "size limit exceeded",
    "size of hashkey has exceeded",
    "aggregated size of all range keys",
    "hash primary key values must be under",
    "nesting levels have exceeded",
    "number overflow",
    "number underflow",
    "38 digits",
    "38 significant digits",
    "cannot be converted to a numeric value",
    "cannot be converted into a number",
    "set  may not be empty",
    "set may not be empty",
    "contains duplicates",
    "supplied attributevalue",
    "null attribute value types",
    "attribute name is too large",
    "empty attribute name",
    "invalid attribute value type",
)

_TRANSIENT_ERRORS = (
    DeadlineExceededError,
    ContendedError,
    ConnectionError,
    HTTPClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    OSError,
)


def classify(error: Exception) -> FailureKind:
    """Return the kind of failure of an error."""
    match error:
        case UnreadableRecordError() | ItemTooLargeError():
            return FailureKind.PERMANENT
        case ClientError():
            details = error.response["Error"]
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            # Something between may send another document than AWS, whose message is no text.
            return classify_response(
                details.get("Code") or "", str(details.get("Message") or ""), status
            )
        case ParamValidationError():
            return FailureKind.PERMANENT if _refuses_item(str(error)) else FailureKind.FAULT
        case _:
            return (
                FailureKind.TRANSIENT if isinstance(error, _TRANSIENT_ERRORS) else FailureKind.FAULT
            )


def is_transient(error: Exception) -> bool:
    """Return whether an error is expected to go away with time."""
    return classify(error) is FailureKind.TRANSIENT


def classify_response(code: str, message: str, status: int = 0) -> FailureKind:
    """Return the kind of failure of a service's error response.

    Args:
        code: such as ``ThrottlingException``.
        message: for a person; some errors differ in nothing else.
        status: of HTTP; 0: not known.
    """
    name = code.removesuffix("Exception").removesuffix("Error")
    if name == "Validation":
        words = message.lower()
        refused = any(shape in words for shape in _ITEM_VALIDATION_MESSAGES)
        return FailureKind.PERMANENT if refused else FailureKind.FAULT
    if name in _PERMANENT_CODES:
        return FailureKind.PERMANENT
    passes = (
        name in _TRANSIENT_CODES
        or status >= 500
        or status in _TRANSIENT_STATUSES
        or is_clock_skew(code, message)
    )
    return FailureKind.TRANSIENT if passes else FailureKind.FAULT


def error_code(error: Exception) -> str:
    """Return the service's code of an error, or else the name of its type."""
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code") or "ClientError"
    return type(error).__name__


def quarantine_reason(error: Exception) -> str:
    """Return why a record is quarantined: ``unreadable``, ``too large`` or ``refused``."""
    match error:
        case UnreadableRecordError():
            return "unreadable"
        case ItemTooLargeError():
            return "too large"
        case _:
            return "refused"


def _refuses_item(report: str) -> bool:
    """Return whether the SDK rejects the record's item, rather than the request around it."""
    return any(f" {part}" in report for part in ("Item.", "Key.", "ExpressionAttributeValues."))

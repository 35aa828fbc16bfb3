"""What kind of failure an error is, and so what becomes of its record. Pure: no store, no clock.

==========  ======================================  =============================================
kind        the cause                               the record
==========  ======================================  =============================================
transient   the moment: throttled, timed out,       is tried again within the function's time,
            unreachable, credentials that expired,  and then delivered again, in order
            a signature of the wrong time
permanent   the record: it cannot be read, or the   is set aside in the quarantine at once, and
            target refuses its item's shape         its shard goes on
fault       the hop: no access, no table, a key     stays in the stream, and an alarm rings; it
            schema that differs, another stream     is never set aside, or a fault would empty
            or view type, or a mistake in this      the stream into the quarantine
            program
==========  ======================================  =============================================

Whatever is not known is a fault: it loses nothing, and somebody looks.
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
    """What a failure calls for; the values are those of the log and of the metrics."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    FAULT = "fault"


# Without the ending: an API call has "ThrottlingException" where the answer to one statement of a
# batch has "ThrottlingError".
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
# What other services say of the clock and of too many requests, by the SDKs' own list:
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
# Request Timeout and Too Many Requests, which a proxy or a gateway may say without a document.
_TRANSIENT_STATUSES = frozenset({408, 429})


# A table with local indexes refuses more than 10 GB for one partition key, until something goes.
_PERMANENT_CODES = frozenset({"ItemCollectionSizeLimitExceeded", "Serialization"})

# What a ValidationException says when it is the item that is refused, in small letters. AWS
# documents the limits, not the words: these were heard from servers that copy it, and from the
# service in public reports (docs/runbook.md has the list with what each means).
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
    """The kind of failure that an error is."""
    match error:
        case UnreadableRecordError() | ItemTooLargeError():
            return FailureKind.PERMANENT
        case ClientError():
            told = error.response["Error"]
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return classify_response(told.get("Code") or "", told.get("Message") or "", status)
        case ParamValidationError():
            return FailureKind.PERMANENT if _refuses_item(str(error)) else FailureKind.FAULT
        case _:
            return (
                FailureKind.TRANSIENT if isinstance(error, _TRANSIENT_ERRORS) else FailureKind.FAULT
            )


def is_transient(error: Exception) -> bool:
    """Whether an error is one of the moment."""
    return classify(error) is FailureKind.TRANSIENT


def classify_response(code: str, message: str, status: int = 0) -> FailureKind:
    """The kind of failure that a service's answer is, by its code, message and HTTP status."""
    name = code.removesuffix("Exception").removesuffix("Error")
    if name == "Validation":
        words = message.lower()
        refused = any(shape in words for shape in _ITEM_VALIDATION_MESSAGES)
        return FailureKind.PERMANENT if refused else FailureKind.FAULT
    if name in _PERMANENT_CODES:
        return FailureKind.PERMANENT
    is_passing = (
        name in _TRANSIENT_CODES
        or status >= 500
        or status in _TRANSIENT_STATUSES
        or is_clock_skew(code, message)
    )
    return FailureKind.TRANSIENT if is_passing else FailureKind.FAULT


def error_code(error: Exception) -> str:
    """What to call an error, in a word: the service's code for it, or its type."""
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code") or "ClientError"
    return type(error).__name__


def quarantine_reason(error: Exception) -> str:
    """Why a record is set aside, in a word or two."""
    match error:
        case UnreadableRecordError():
            return "unreadable"
        case ItemTooLargeError():
            return "too large"
        case _:
            return "refused"


def _refuses_item(report: str) -> bool:
    """Whether the SDK refuses to send what came out of the record, not where it was to go."""
    return any(f" {part}" in report for part in ("Item.", "Key.", "ExpressionAttributeValues."))

"""Translate errors of the AWS SDK into errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from handler.errors import FailureKind, classify
from operate.errors import OperationFailedError, PrerequisiteError

CREDENTIAL_ERRORS = (NoCredentialsError, ProfileNotFound, TokenRetrievalError)


@contextmanager
def translate_aws_errors(about: str = "") -> Iterator[None]:
    """Translate errors of AWS requests. `about` is put before the error's text.

    Raises `PrerequisiteError` without credentials, `OperationFailedError` for any other error.
    """
    try:
        yield
    except CREDENTIAL_ERRORS as error:
        raise PrerequisiteError(
            f"No AWS credentials: {error}. Log in (`aws sso login`), or set AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID."
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise OperationFailedError(f"{about}: {error}" if about else str(error)) from error


def item_refusal(error: ClientError) -> str:
    """Return why a member refuses an item, and with it every other try.

    Hops quarantine the record of such an item. Raises the error if it is not about the item.
    """
    if classify(error) is not FailureKind.PERMANENT:
        raise error
    details = error.response["Error"]
    return f"refused: {details.get('Message') or details.get('Code')}"

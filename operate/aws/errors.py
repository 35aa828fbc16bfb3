"""What AWS's SDK raises, turned into what the operator has to do about it."""

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

from operate.errors import OperationFailedError, PrerequisiteError

CREDENTIAL_ERRORS = (NoCredentialsError, ProfileNotFound, TokenRetrievalError)


@contextmanager
def translate_aws_errors(about: str = "") -> Iterator[None]:
    """Ask AWS. `about` is what the questions are about, for the error's text.

    Raises `PrerequisiteError` without credentials, `OperationFailedError` for any other answer that
    is an error.
    """
    try:
        yield
    except CREDENTIAL_ERRORS as error:
        raise PrerequisiteError(
            f"AWS cannot be asked: {error}. Log in (`aws sso login`), or set AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID."
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise OperationFailedError(f"{about}: {error}" if about else str(error)) from error

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

from operate.errors import FailedError, MissingError

WITHOUT_CREDENTIALS = (NoCredentialsError, ProfileNotFound, TokenRetrievalError)


@contextmanager
def asking(about: str = "") -> Iterator[None]:
    """Ask AWS. `about` is what the questions are about, for the error's text.

    Raises `MissingError` without credentials, `FailedError` for any other answer that is an error.
    """
    try:
        yield
    except WITHOUT_CREDENTIALS as error:
        raise MissingError(
            f"AWS cannot be asked: {error}. Log in (`aws sso login`), or set AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID."
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise FailedError(f"{about}: {error}" if about else str(error)) from error

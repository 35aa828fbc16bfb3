"""Time that credentials may take before a request."""

from botocore.exceptions import CredentialRetrievalError

_QUICK_SECONDS = 1.0
"""Seconds that a refresh, or a refused call and a refresh, may take before a request: with more,
both could take longer than what ``handler.app`` reserves for a call and the function's own work."""


def ensure_quick(seconds: float) -> None:
    """Raise a transient error if that took so long that a request must not follow it.

    Raises:
        CredentialRetrievalError: the request has to be made again, if there is time for it.
    """
    if seconds > _QUICK_SECONDS:
        raise CredentialRetrievalError(
            provider="AWS",
            error_msg=f"it took {seconds:.1f} seconds, which leaves too little time for the "
            "request. It is made again if the function has the time",
        )

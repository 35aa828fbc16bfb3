"""Distinguish rejected signatures by their cause: a wrong time, or wrong keys."""

# DynamoDB's code and STS's for a rejected signature, which has two causes. A wrong time (a function
# that was frozen and thawed, a wrong clock) is transient, since every attempt has a new signature.
# A mismatch is a fault of the keys. They differ in the message alone:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_SIGNATURE_REJECTED = frozenset({"InvalidSignature", "SignatureDoesNotMatch"})
_WRONG_TIMES = ("signature expired", "signature not yet current")


def is_clock_skew(code: str, message: str) -> bool:
    """Return whether an error rejects the time of a signature, and not its keys."""
    text = message.lower()
    return code.removesuffix("Exception") in _SIGNATURE_REJECTED and text.startswith(_WRONG_TIMES)

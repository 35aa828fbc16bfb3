"""Refused signatures: told apart by whether the clock or the keys are at fault."""

# DynamoDB's code and STS's for a signature that is refused, which has two causes. That it was made
# at the wrong time (a function that was frozen and thawed, a clock) is of the moment: every call is
# signed anew. That it does not match is a fault of the keys. Only the message tells them apart:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_SIGNATURE_REFUSED = frozenset({"InvalidSignature", "SignatureDoesNotMatch"})


_WRONG_TIMES = ("signature expired", "signature not yet current")


def is_clock_skew(code: str, message: str) -> bool:
    """Whether an answer refuses a signature for its time, and not for the keys it was made with."""
    words = message.lower()
    return code.removesuffix("Exception") in _SIGNATURE_REFUSED and words.startswith(_WRONG_TIMES)

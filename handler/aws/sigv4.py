"""Sign requests to DynamoDB by AWS Signature Version 4.

botocore's signer serves every service: each time it derives the day's key again, and sorts and
quotes what is the same in every request here.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from functools import lru_cache

from handler.aws.secret_credentials import KeyPair

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class SigV4Signer:
    """Signer of POST requests to the root of one host."""

    host: str
    """As in the Host header: with the port, if it is not the scheme's default."""
    region: str
    service: str = "dynamodb"

    def headers(
        self, signed: dict[str, str], body: bytes, keys: KeyPair, now: float
    ) -> dict[str, str]:
        """Return all headers of a request: those to be signed, the host, the date, the signature.

        Args:
            signed: by name in lower case; values without blanks at their ends.
            body: the body of the request.
            keys: keys to sign with.
            now: the time, in seconds since the epoch.
        """
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {"host": self.host, "x-amz-date": date, **signed}
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        names = sorted(headers)
        canonical = "".join(f"{name}:{headers[name]}\n" for name in names)
        request = f"POST\n/\n\n{canonical}\n{';'.join(names)}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date[:8]}/{self.region}/{self.service}/aws4_request"
        text = f"{_ALGORITHM}\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = _signing_key(date[:8], self.region, self.service, keys.secret_key)
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={_sign(key, text).hex()}"
        )
        return headers


@lru_cache(maxsize=4)
def _signing_key(day: str, region: str, service: str, secret: str) -> bytes:
    """Derive the key of a day. The cache holds those of both members, before and after midnight."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _sign(key, part)
    return key


def _sign(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")

"""Refuse responses that botocore takes for a success, though DynamoDB did not send them.

To botocore a response with status 200 and no JSON is one without fields: to a PutItem that means
"written", to a GetItem "there is no item". A proxy's page is such a response, and where there is a
proxy botocore's client makes the calls (``handler.aws.clients``). Nor does it compare the checksum
if it makes one attempt only. The hop's own client does both (``handler.aws.http_client``).
"""

import zlib
from typing import Any

from botocore.exceptions import HTTPClientError


def refuse_foreign_response(http_response: Any = None, **_: Any) -> None:
    """Refuse what is no document, or another than was sent. For botocore's event `after-call`.

    Raises:
        HTTPClientError: as the hop's own client does.
    """
    if http_response is None or http_response.status_code != 200:
        return
    body = http_response.content
    compare_checksum(body, http_response.headers.get("x-amz-crc32"))
    text = body.strip()
    # botocore has parsed it: not its syntax, but whether it is a whole document is looked at here.
    if not (text.startswith(b"{") and text.endswith(b"}")):
        raise HTTPClientError(error="the response is not JSON")


def compare_checksum(body: bytes, checksum: str | None) -> None:
    """Compare a response's body with the header x-amz-crc32; None: it has no such header.

    Raises:
        HTTPClientError: the body is another than was sent.
    """
    if checksum is not None and checksum != str(zlib.crc32(body)):
        raise HTTPClientError(error="the response does not match its checksum")

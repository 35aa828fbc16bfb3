"""Signatures: those that botocore makes of the same request."""

import datetime
from typing import Any
from unittest.mock import patch

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.aws.secret_credentials import KeyPair
from handler.aws.sigv4 import SigV4Signer

NOON = 1_700_000_000
SIGNED = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.PutItem",
}
KEYS = KeyPair("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)

PRINTED = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def by_botocore(url: str, region: str, body: bytes, keys: KeyPair, now: float) -> dict[str, Any]:
    """The headers of the request as botocore signs it."""
    request: Any = AWSRequest("POST", url, headers=dict(SIGNED), data=body)
    request.context = {}
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    with patch.object(auth, "get_current_datetime", lambda: moment):
        signer: Any = auth.SigV4Auth(ReadOnlyCredentials(*keys), "dynamodb", region)
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@settings(deadline=None)
@given(
    host=st.sampled_from(
        [
            "dynamodb.eu-west-1.amazonaws.com",
            "dynamodb.cn-north-1.amazonaws.com.cn",
            "vpce-1.dynamodb.us-east-1.vpce.amazonaws.com",
            "127.0.0.1:8000",
            "[::1]:8000",
        ]
    ),
    region=st.sampled_from(["eu-west-1", "cn-north-1", "us-gov-west-1"]),
    body=st.binary(max_size=200),
    keys=st.builds(KeyPair, PRINTED, PRINTED, st.none() | PRINTED),
    now=st.integers(0, 4_000_000_000),
)
def test_a_request_is_signed_as_botocore_signs_it(
    host: str, region: str, body: bytes, keys: KeyPair, now: int
) -> None:
    ours = SigV4Signer(host, region).headers(SIGNED, body, keys, now)
    theirs = by_botocore(f"https://{host}/", region, body, keys, now)
    assert {**ours, "host": None} == {**theirs, "host": None}
    assert ours["host"] == host


def test_a_day_begins_with_a_key_of_its_own() -> None:
    signer = SigV4Signer("h", "eu-west-1")
    for now in (NOON, NOON + 24 * 60 * 60, NOON):
        ours = signer.headers(SIGNED, b"{}", KEYS, now)
        assert ours["authorization"] == by_botocore(
            "https://h/", "eu-west-1", b"{}", KEYS, now
        ).get("authorization")


def test_keys_that_were_replaced_sign_no_more() -> None:
    signer = SigV4Signer("h", "eu-west-1")
    first = signer.headers(SIGNED, b"{}", KEYS, NOON)
    other = signer.headers(SIGNED, b"{}", KEYS._replace(secret_key="other"), NOON)
    assert first["authorization"] != other["authorization"]

"""Policy of a bucket. Pure."""

from __future__ import annotations

from ring.policies.statements import Document, document


def tls_only(bucket: str) -> Document:
    """Return a bucket policy that denies every request without TLS. `bucket` is an ARN.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )

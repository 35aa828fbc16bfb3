"""What to do about errors of AWS that a first deployment meets.

All of them leave the stack as far as it got: the next `up` continues there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AGAIN = "`automate.py up` again continues where this stopped."

_REMEDIES: Mapping[str, str] = {
    # Of a temporary session; the second is what pulumi-aws says when it cannot renew it:
    # https://github.com/pulumi/pulumi-aws/blob/master/provider/errors/expired_sso.txt
    r"ExpiredToken|[Tt]oken included in the request is expired|refresh cached SSO credentials": (
        "The AWS session ended during the operation. Log in again (`aws sso login`, or new "
        f"temporary keys). Then {_AGAIN}"
    ),
    # The services name a disabled region differently; none of them says that it is disabled:
    # https://github.com/hashicorp/terraform-provider-aws/issues/12940
    # https://github.com/pulumi/pulumi-aws/blob/master/provider/errors/invalid_credentials.txt
    r"UnrecognizedClientException|InvalidClientTokenId|AuthFailure|"
    r"configured AWS credentials are invalid": (
        "The credentials are wrong, or the region is not enabled in the account: regions opened "
        "since 2019 are not, at first. `aws account get-region-opt-status --region-name REGION` "
        "shows it, `aws account enable-region --region-name REGION` enables it and takes some "
        f"minutes. If it says ENABLED, log in again. Then {_AGAIN}"
    ),
    r"cannot be assumed by Lambda|role does not have permissions|ensure the role can perform|"
    r"NoSuchEntity": (
        "IAM takes some seconds, rarely minutes, until other services see a new role or policy. "
        f"{_AGAIN} If it fails once more, look for a policy of the organization, or a permissions "
        "boundary, that denies."
    ),
    # Names get a new random suffix when a create is tried again. A create that was answered too
    # late is retried by the SDK, and finds its own log group:
    # https://github.com/hashicorp/terraform-provider-aws/issues/18468
    r"BucketAlreadyExists|BucketAlreadyOwnedByYou|log group already exists": (
        "The generated name is taken. The next attempt generates another: "
        f"{_AGAIN} A log group or bucket of the name above that is empty and in no stack may be "
        "deleted."
    ),
    r"UnreservedConcurrentExecution": (
        "The account's quota of concurrent executions is too small to reserve any. Ask for a "
        "higher one (Service Quotas, AWS Lambda, Concurrent executions). The ring itself reserves "
        "none."
    ),
    r"Throttl|TooManyRequests|Rate exceeded|RequestLimitExceeded": (
        "AWS limits how many resources an account creates or changes at a time, and the provider "
        f"has retried. Wait a minute. Then {_AGAIN} For many rings, use a smaller `--jobs`."
    ),
}
"""Pattern of an error of AWS or its provider -> what it means and what to do."""


def remedies(text: str) -> list[str]:
    """Return what to do about each known error in a text."""
    return [remedy for pattern, remedy in _REMEDIES.items() if re.search(pattern, text)]

"""The regions that AWS's own SDK knows."""

from __future__ import annotations

from functools import cache

import botocore
import botocore.session
from pydantic import AfterValidator

from ring.arn import partition_of
from ring.settings.errors import did_you_mean, reject


@cache
def known_regions(partition: str) -> tuple[str, ...]:
    """The regions of a partition in which there is DynamoDB, as this botocore knows them."""
    session = botocore.session.Session()
    return tuple(session.get_available_regions("dynamodb", partition_name=partition))


def _is_known(region: str) -> str:
    known = known_regions(partition_of(region))
    if region not in known:
        raise reject(
            f"botocore {botocore.__version__} knows no such region, and a hop could not reach it",
            f"{did_you_mean(region, known, among='Known')} "
            "If AWS has opened it since, write a newer "
            "boto3 into requirements.in, run `make locks`, and install "
            "requirements.txt.",
        )
    return region


KNOWN_REGION = AfterValidator(_is_known)
"""Demands that a text is a region that is known."""

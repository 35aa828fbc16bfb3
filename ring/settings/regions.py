"""Regions that botocore knows."""

from __future__ import annotations

from functools import cache

import botocore
import botocore.session
from pydantic import AfterValidator

from ring.arn import partition_of
from ring.settings.errors import did_you_mean, reject


@cache
def known_regions(partition: str) -> tuple[str, ...]:
    """Return the regions of a partition with DynamoDB, as the installed botocore lists them."""
    session = botocore.session.Session()
    return tuple(session.get_available_regions("dynamodb", partition_name=partition))


def _is_known(region: str) -> str:
    known = known_regions(partition_of(region))
    if region not in known:
        raise reject(
            f"botocore {botocore.__version__} does not know this region, so no hop could reach it",
            f"{did_you_mean(region, known, among='Regions')} If it is new, set a newer boto3 in "
            "requirements.in, run `make locks`, and install requirements.txt.",
        )
    return region


KNOWN_REGION = AfterValidator(_is_known)
"""Requires a region that botocore knows."""

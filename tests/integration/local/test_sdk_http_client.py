"""A ring whose hops call DynamoDB by the SDK's client alone (``function.http: boto3``)."""

from __future__ import annotations

import pytest

from tests.support.local_rings import REGIONS, costs, get, item, put, ring_of


@pytest.mark.long
def test_a_ring_whose_hops_use_the_sdks_client_replicates_as_one_that_uses_its_own() -> None:
    written = item("first", binary={"B": b"\x00\xff"}, set={"BS": [b"\x00"]}, n={"N": "1"})
    with ring_of(3, function={"http": "boto3"}) as ring:
        configured = [hop.function.spec.environment["RING_HTTP"] for hop in ring.hops.values()]
        assert configured == ["boto3"] * 3
        with costs(ring, writes=3):  # one of the application, two of the ring
            put(ring, "us-east-1", written)
        assert [get(ring, region, "first") for region in REGIONS[:3]] == [written] * 3
        ring.client("eu-west-1").delete_item(TableName="orders", Key=item("first"))
        ring.wait_until_quiet()
        assert [get(ring, region, "first") for region in REGIONS[:3]] == [None] * 3
        assert ring.differences() == []

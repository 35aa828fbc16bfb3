"""Partitions in which Lambda's event source mappings lack what the ring uses elsewhere."""

from __future__ import annotations

import pytest

from tests.support.pulumi_mocks import OUT, deployed

REGIONS = {
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}


@pytest.mark.parametrize("partition", REGIONS)
def test_a_mapping_asks_for_nothing_that_its_partition_lacks_and_gives_no_record_up(
    partition: str,
) -> None:
    first, second = REGIONS[partition]
    seen = deployed(
        members=[{"region": first}, {"region": second}],
        partition=partition,
        mapping={"retries": 9, "record_age": 600},
        tags={"team": "orders"},
    )
    hop = f"ring-{first}-to-{second}"
    mapping = seen.one("EventSourceMapping", hop)
    providers = {one.name: one.inputs for one in seen.all("aws")}

    assert "destinationConfig" not in mapping.inputs
    assert "metricsConfig" not in mapping.inputs
    assert mapping.inputs["maximumRetryAttempts"] == -1
    assert mapping.inputs["maximumRecordAgeInSeconds"] == -1
    assert "defaultTags" not in providers[mapping.provider]
    assert "defaultTags" in providers[seen.one("Function", hop).provider]
    assert providers[mapping.provider]["region"] == first


def test_a_mapping_has_the_rings_tags_in_other_partitions() -> None:
    seen = deployed(tags={"team": "orders"})

    assert seen.one("EventSourceMapping", OUT).provider == seen.one("Function", OUT).provider


def test_no_provider_without_tags_is_declared_where_there_are_none() -> None:
    members: list[object] = [{"region": "us-gov-west-1"}, {"region": "us-gov-east-1"}]
    seen = deployed(members=members, partition="aws-us-gov")

    assert [one.name for one in seen.all("aws")] == ["ring-us-gov-east-1", "ring-us-gov-west-1"]

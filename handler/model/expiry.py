"""Decide whether DynamoDB will delete an item because its time to live has passed.

An item whose time has passed is not always deleted:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html

- "The TTL attribute's value must be a top-level Number data type", "in Unix epoch time format in
  seconds. If you use any other format, the TTL processes ignore the item."
- "The TTL attribute value must be a datetimestamp with an expiration of no more than five years in
  the past": "older than five years. As a result, the TTL processes will not expire that item."
- "Enabling, disabling, or changing TTL settings on a table can take approximately one hour".

What is not deleted is an item as any other: members that differ in it stay so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OLDEST = 5 * 365 * 24 * 60 * 60
"""Seconds after its expiry from which DynamoDB leaves an item. Five years with a leap day in them
are longer: in doubt an item counts as one that stays."""


def ttl_attribute(described: Mapping[str, Any]) -> str | None:
    """Attribute by which DynamoDB expires a table's items now; None: it expires none.

    `described` is the TimeToLiveDescription of DescribeTimeToLive. While TTL is being enabled or
    disabled nothing is certain to be deleted:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TimeToLiveDescription.html
    """
    if described.get("TimeToLiveStatus") != "ENABLED":
        return None
    name: str = described["AttributeName"]
    return name


def will_be_deleted(item: Mapping[str, Any], attribute: str | None, now: float) -> bool:
    """Return whether DynamoDB deletes the item within the next days, by its time to live.

    `attribute` is the table's `ttl_attribute`, `now` is in seconds since 1970.
    """
    end = item.get(attribute, {}).get("N") if attribute is not None else None
    return end is not None and now - OLDEST <= float(end) <= now

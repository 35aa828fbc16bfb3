"""Predict whether DynamoDB deletes an item by its time to live (TTL).

An item whose time has passed is not always deleted:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html

- "The TTL attribute's value must be a top-level Number data type", "in Unix epoch time format in
  seconds. If you use any other format, the TTL processes ignore the item."
- "The TTL attribute value must be a datetimestamp with an expiration of no more than five years in
  the past": "older than five years. As a result, the TTL processes will not expire that item."
- "Enabling, disabling, or changing TTL settings on a table can take approximately one hour".

An item that is not deleted is an item like any other: members that differ in it keep differing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_EXPIRED_SECONDS = 5 * 365 * 24 * 60 * 60
"""Seconds since its expiry after which DynamoDB no longer deletes an item. Five years with a leap
day are longer: in doubt an item counts as one that is not deleted."""


def ttl_attribute(description: Mapping[str, Any]) -> str | None:
    """Return the attribute by which DynamoDB expires a table's items now; None: it expires none.

    ``description`` is the TimeToLiveDescription of DescribeTimeToLive. While TTL is being enabled
    or disabled, no item is certain to be deleted:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TimeToLiveDescription.html
    """
    if description.get("TimeToLiveStatus") != "ENABLED":
        return None
    name: str = description["AttributeName"]
    return name


def will_be_deleted(item: Mapping[str, Any], attribute: str | None, now: float) -> bool:
    """Return whether DynamoDB deletes the item within the next days, by its time to live.

    Args:
        item: in the form of DynamoDB's API.
        attribute: the table's ``ttl_attribute``.
        now: seconds since the epoch.
    """
    end = item.get(attribute, {}).get("N") if attribute is not None else None
    return end is not None and now - MAX_EXPIRED_SECONDS <= float(end) <= now

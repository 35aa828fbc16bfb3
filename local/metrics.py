"""What a local hop's function measures, given to CloudWatch as its log group would on AWS.

Only times are: values by the record, which `automate.py lag` asks for. What is counted shows in the
local ring's own view.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)


class Metrics:
    """Puts what it hears into CloudWatch, from a thread of its own: nobody waits for it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def hear(self, line: str) -> None:
        """Take in a line of the handler's log."""
        if '"_aws"' in line:
            self._lines.put(line)

    def close(self) -> None:
        """Put what was heard, and end."""
        self._lines.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                for namespace, data in _metrics(json.loads(line)):
                    self._client.put_metric_data(Namespace=namespace, MetricData=data)
            except (ValueError, LookupError, TypeError, BotoCoreError, ClientError) as error:
                _log.info("A metric was lost: %s", error)


def _metrics(fields: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What a line in the embedded format holds of metrics with many values, by the namespace.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    told = fields["_aws"]
    when = datetime.fromtimestamp(told["Timestamp"] / 1000, UTC)
    for directive in told["CloudWatchMetrics"]:
        data = [
            {
                "MetricName": metric["Name"],
                "Unit": metric["Unit"],
                "Timestamp": when,
                "Dimensions": [{"Name": name, "Value": fields[name]} for name in dimensions],
                "Values": fields[metric["Name"]],
            }
            for dimensions in directive["Dimensions"]
            for metric in directive["Metrics"]
            if isinstance(fields[metric["Name"]], list)
        ]
        if data:
            yield directive["Namespace"], data

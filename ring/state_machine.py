"""State machine that invokes a function for each segment of the tables. Pure.

A Distributed Map: Step Functions tracks which segments are done, retries failed ones, and continues
with the rest when its execution is redriven.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
"""

from __future__ import annotations

from typing import Any

LABEL = "segments"
"""The part of a map run's ARN that follows the state machine's name."""


def state_machine(function: str, partition: str, at_once: int) -> dict[str, Any]:
    """Return the definition; `function` is an ARN, `at_once` the segments that run at a time.

    An execution's input is the event of `operate/distributed/worker.py` without `part` and `state`,
    and with `parts`: the key, in `bucket`, of the list of all segments.
    """
    return {
        "Comment": "Processes the segments of a ring's tables in parallel",
        "StartAt": "Segments",
        "States": {
            "Segments": {
                "Type": "Map",
                "Label": LABEL,
                "MaxConcurrency": at_once,
                "ItemReader": {
                    "Resource": f"arn:{partition}:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.parts"},
                },
                "ItemSelector": {
                    "part.$": "$$.Map.Item.Value",
                    "state": None,
                    **{
                        f"{name}.$": f"$.{name}"
                        for name in ("work", "how", "members", "bucket", "run")
                    },
                },
                "ItemProcessor": _segment(function),
                # All results together may exceed the size of a state. They are in the bucket.
                "ResultPath": None,
                "End": True,
            }
        },
    }


def _segment(function: str) -> dict[str, Any]:
    """Invoke the function until it reports `over` for the segment."""
    return {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {
            "Work": {
                "Type": "Task",
                "Resource": function,
                "ResultPath": "$.state",
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": 1,
                        "MaxAttempts": 5,
                        "BackoffRate": 2.0,
                        "JitterStrategy": "FULL",
                    }
                ],
                "Next": "Over",
            },
            "Over": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.state.over", "BooleanEquals": True, "Next": "Done"}],
                "Default": "Work",
            },
            "Done": {"Type": "Succeed"},
        },
    }

"""The state machine that has a function called for each segment of tables. Pure.

A Distributed Map: Step Functions itself knows which segments are done, tries again what fails, and
goes on with the rest when its execution is redriven.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
"""

from __future__ import annotations

from typing import Any

LABEL = "segments"
"""What the ARNs of the Map's runs have behind the machine's name."""


def state_machine(function: str, partition: str, at_once: int) -> dict[str, Any]:
    """The definition; `function` is an ARN, `at_once` how many segments run at a time.

    An execution's input is the event of `operate/distributed/worker.py` without `part` and `state`,
    and with `parts`: the key, in `bucket`, of the list of all of them.
    """
    return {
        "Comment": "Works on the segments of a ring, each by itself",
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
                # What the segments answer may be more than a state holds, and is in the bucket.
                "ResultPath": None,
                "End": True,
            }
        },
    }


def _segment(function: str) -> dict[str, Any]:
    """Call the function until it says that the segment is over."""
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

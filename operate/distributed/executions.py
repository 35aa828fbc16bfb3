"""A stack's state machine: a run of it begun, found again, watched, and its results taken.

What is known of a run is in AWS alone: its name tells what it is of, its list of parts lies in the
bucket until its results are taken, and Step Functions keeps which segments are done. So whoever
gives the same command, from wherever, goes on with the same run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from handler.quarantine import Place, place_of
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedDistributed
from operate.distributed.results import Call, results
from operate.distributed.worker import member_to_event, segment_to_event
from operate.errors import InvalidRequestError, OperationFailedError
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import ScanSegment
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop
from ring.arn import Arn
from ring.text import counted

_PAUSE = 3.0  # seconds between two looks
_RUNNING, _SUCCEEDED = "RUNNING", "SUCCEEDED"


@dataclass(frozen=True)
class SegmentJob:
    """What to do with segments: `work`, `how` and `parts` as `operate.distributed.worker` has them.

    `about` is what makes it the same task as another.
    """

    work: str
    how: Mapping[str, Any]
    members: Sequence[MemberConnection]
    parts: Sequence[ScanSegment]
    about: Any

    @property
    def prefix(self) -> str:
        """What the names of its runs begin with."""
        text = json.dumps([self.work, self.about], sort_keys=True)
        return f"{self.work}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}-"


@dataclass(frozen=True)
class Execution:
    """A run: its name, which its objects have too, its ARN, and when it was begun."""

    name: str
    arn: str
    begun: datetime
    status: str


class SegmentRunner:
    """The part of a stack that works on segments.

    Its methods raise what `operate.aws.errors` does.
    """

    def __init__(
        self,
        part: DeployedDistributed,
        states: Any,
        s3: Any,
        sleep: Callable[[], None] | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Take what is deployed, clients of Step Functions and S3, and how to wait for a look.

        Once `stop` is asked for, neither a run nor all of its results are waited for.
        """
        self._asked = stop or Stop()
        self.part = part
        self._states = states
        self._s3 = s3
        self._sleep = sleep or (lambda: self._asked.sleep(_PAUSE))

    @property
    def _place(self) -> Place:
        """The bucket of results: it is the machine's account's."""
        return place_of(self.part.bucket, Arn.parse(self.part.state_machine).account)

    @classmethod
    def of(cls, deployed: Deployed, clients: ClientPool, stop: Stop | None = None) -> SegmentRunner:
        """Find a stack's runner; `stop` ends waiting for it. Raises InvalidRequestError."""
        part = deployed.distributed
        if part is None:
            raise InvalidRequestError(
                "No part that works on segments is deployed here: it is off unless the settings "
                "say `distributed.enabled: true`. Say so and run `up`, or leave --distributed out."
            )
        member = next(one for one in deployed.members if one.name == part.member)
        region = part.state_machine.split(":")[3]
        states, s3 = (
            clients.get(member.credentials, region, service) for service in ("stepfunctions", "s3")
        )
        return cls(part, states, s3, stop=stop)

    def run_to_completion(
        self, task: SegmentJob, *, restart: bool = False, tell: ProgressCallback = no_progress
    ) -> Execution:
        """Bring a task to its end: a run that is there already, or a new one.

        One that failed before is redriven, and `restart` drops what is there. OperationFailedError
        if the run fails, also where it cannot be redriven.
        """
        if restart:
            self.delete_results(task)
        with translate_aws_errors():
            run = next(self._open(task), None) or self._begin(task)
            if run.status not in (_RUNNING, _SUCCEEDED):
                self._redrive(run)
            self._wait(run, len(task.parts), tell)
            return run

    def find_open(self, task: SegmentJob) -> Execution | None:
        """The run that the task goes on with; None: there is none."""
        with translate_aws_errors():
            return next(self._open(task), None)

    def collect(self, run: Execution, task: SegmentJob) -> Iterator[Call]:
        """Yield what the calls found. Raises OperationFailedError if one is missing."""
        over = set()
        with translate_aws_errors():
            for call in results(self._s3, self._place, run.name):
                self._asked.check()
                yield call
                if call.over:
                    over.add((call.source, call.number))
        missing = {(part.source, part.segment.number) for part in task.parts} - over
        if missing:
            raise OperationFailedError(
                f"The results of {counted(len(missing), 'segment')} are not in {self.part.bucket}: "
                "somebody has deleted or taken them. Run it again with --restart."
            )

    def delete_results(self, task: SegmentJob) -> None:
        """Delete what the task's runs have in the bucket: from then on none is gone on with.

        A run's list, by which it is found, goes first, as its name comes first: half of its results
        must never be taken for all. What a function still tells of a run that was stopped stays
        until the next time.
        """
        pages = self._s3.get_paginator("list_objects_v2")
        with translate_aws_errors():
            for run in self._open(task):
                self._stop(run)
            for page in pages.paginate(**self._place, Prefix=task.prefix):
                keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
                if keys:  # a page is as long as what can be deleted at once
                    self._s3.delete_objects(**self._place, Delete={"Objects": keys, "Quiet": True})

    def _open(self, task: SegmentJob) -> Iterator[Execution]:
        """The task's runs whose results were not taken, the newest first."""
        pages = self._states.get_paginator("list_executions")
        found = [
            Execution(one["name"], one["executionArn"], one["startDate"], one["status"])
            for page in pages.paginate(stateMachineArn=self.part.state_machine)
            for one in page["executions"]
            if one["name"].startswith(task.prefix)
        ]
        for run in sorted(found, key=lambda one: one.begun, reverse=True):
            if self._has_list(run.name):
                yield run

    def _has_list(self, name: str) -> bool:
        key = _list_of(name)
        listed = self._s3.list_objects_v2(**self._place, Prefix=key)
        return any(one["Key"] == key for one in listed.get("Contents", ()))

    def _begin(self, task: SegmentJob) -> Execution:
        name = f"{task.prefix}{time.time_ns():x}"
        parts = json.dumps([segment_to_event(part) for part in task.parts])
        self._s3.put_object(**self._place, Key=_list_of(name), Body=parts.encode())
        event = {
            "work": task.work,
            "how": task.how,
            "members": [
                member_to_event(one, self.part.readers.get(one.name)) for one in task.members
            ],
            "bucket": self.part.bucket,
            "run": name,
            "parts": _list_of(name),
        }
        begun = self._states.start_execution(
            stateMachineArn=self.part.state_machine, name=name, input=json.dumps(event)
        )
        return Execution(name, begun["executionArn"], begun["startDate"], _RUNNING)

    def _redrive(self, run: Execution) -> None:
        """Have the segments that failed tried again.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
        """
        try:
            self._states.redrive_execution(executionArn=run.arn)
        except ClientError as error:
            raise OperationFailedError(
                f"The run of {run.begun:%Y-%m-%d %H:%M %Z} {run.status.lower()}, and cannot be "
                f"redriven: {error}. Begin another with --restart."
            ) from error

    def _stop(self, run: Execution) -> None:
        if run.status == _RUNNING:
            self._states.stop_execution(executionArn=run.arn)

    def _wait(self, run: Execution, parts: int, tell: ProgressCallback) -> None:
        while True:
            # First: what was just begun or redriven may not be seen at once.
            self._sleep()
            seen = self._states.describe_execution(executionArn=run.arn)
            counts = self._counts(run)
            # Not of how many Step Functions says: it counts what it has listed until then.
            tell("working on segments", counts.get("succeeded", 0), parts)
            if seen["status"] == _SUCCEEDED:
                return
            if seen["status"] != _RUNNING:
                raise OperationFailedError(
                    self._failure(run, seen, counts.get("succeeded", 0), parts)
                )

    def _counts(self, run: Execution) -> Mapping[str, int]:
        """How many segments are how far; empty before Step Functions knows."""
        for one in self._states.list_map_runs(executionArn=run.arn)["mapRuns"]:
            counts: Mapping[str, int] = self._states.describe_map_run(mapRunArn=one["mapRunArn"])[
                "itemCounts"
            ]
            return counts
        return {}

    def _failure(self, run: Execution, seen: Mapping[str, Any], succeeded: int, parts: int) -> str:
        are = "is" if succeeded == 1 else "are"
        done = f"{succeeded:,} of {counted(parts, 'segment')} {are} done"
        return (
            f"The run {seen['status'].lower()}: {self._cause(run) or seen.get('cause')} "
            f"({run.arn}). {done}, and that stays so: the same command has the rest tried again, "
            "--restart begins anew."
        )

    def _cause(self, run: Execution) -> str | None:
        """Why the first segment failed, if one did and who asks may see it."""
        with suppress(ClientError):
            for one in self._states.list_map_runs(executionArn=run.arn)["mapRuns"]:
                failed = self._states.list_executions(
                    mapRunArn=one["mapRunArn"], statusFilter="FAILED", maxResults=1
                )["executions"]
                for each in failed:
                    seen = self._states.describe_execution(executionArn=each["executionArn"])
                    return f"{seen.get('error')}: {seen.get('cause')}"
        return None


def _list_of(run: str) -> str:
    """The object that lists the parts of a run; by it, the run is found."""
    return f"{run}.json"

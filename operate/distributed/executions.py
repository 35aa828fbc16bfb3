"""Start, find, watch and collect executions of a stack's state machine.

The state of an execution is in AWS alone: its name says what it processes, its list of segments is
in the bucket until its results are collected, and Step Functions knows which are done. So the same
command, from any machine, resumes the same execution.
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
from operate.reconcile.journal_values import RowShape
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
    """Work on segments: `work`, `how` and `parts` as in the event of `operate.distributed.worker`.

    Jobs with equal `about` are the same job: one resumes the execution of the other.
    """

    work: str
    how: Mapping[str, Any]
    members: Sequence[MemberConnection]
    parts: Sequence[ScanSegment]
    about: Any

    @property
    def shape(self) -> RowShape:
        """Shape of the lines that the calls write of keys; without members, any."""
        parts = next((len(member.keys) for member in self.members), None)
        return RowShape(parts, len(self.members) or None)

    @property
    def prefix(self) -> str:
        """Prefix of the names of its executions."""
        text = json.dumps([self.work, self.about], sort_keys=True)
        return f"{self.work}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}-"


@dataclass(frozen=True)
class Execution:
    """An execution: its name, which its objects have too, its ARN, and when it began."""

    name: str
    arn: str
    begun: datetime
    status: str


class SegmentRunner:
    """Runs jobs on a stack's state machine. All methods raise `OperateError`."""

    def __init__(
        self,
        part: DeployedDistributed,
        states: Any,
        s3: Any,
        sleep: Callable[[], None] | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Take what is deployed, and clients of Step Functions and S3.

        `sleep` waits between two looks at an execution. After a `stop` request, neither the
        execution nor all of its results are waited for.
        """
        self._stop = stop or Stop()
        self.part = part
        self._states = states
        self._s3 = s3
        self._sleep = sleep or (lambda: self._stop.sleep(_PAUSE))

    @property
    def _place(self) -> Place:
        """The bucket of results, which belongs to the state machine's account."""
        return place_of(self.part.bucket, Arn.parse(self.part.state_machine).account)

    @classmethod
    def of(cls, deployed: Deployed, clients: ClientPool, stop: Stop | None = None) -> SegmentRunner:
        """Find a stack's runner; `stop` ends waiting for it. Raises InvalidRequestError."""
        part = deployed.distributed
        if part is None:
            raise InvalidRequestError(
                "This stack has no functions for segments: they are off unless the settings say "
                "`distributed.enabled: true`. Set that and run `up`, or leave --distributed out."
            )
        member = next(one for one in deployed.members if one.name == part.member)
        region = part.state_machine.split(":")[3]
        states, s3 = (
            clients.get(member.credentials, region, service) for service in ("stepfunctions", "s3")
        )
        return cls(part, states, s3, stop=stop)

    def run_to_completion(
        self,
        job: SegmentJob,
        *,
        restart: bool = False,
        on_progress: ProgressCallback = no_progress,
    ) -> Execution:
        """Run a job to its end, in an existing execution or a new one.

        One that failed before is redriven; `restart` begins a new one. Raises OperationFailedError
        if the execution fails, or cannot be redriven.
        """
        if restart:
            self.delete_results(job)
        with translate_aws_errors():
            execution = next(self._open(job), None) or self._begin(job)
            if execution.status not in (_RUNNING, _SUCCEEDED):
                self._redrive(execution)
            self._wait(execution, len(job.parts), on_progress)
            return execution

    def find_open(self, job: SegmentJob) -> Execution | None:
        """Return the execution that the job would resume; None: there is none."""
        with translate_aws_errors():
            return next(self._open(job), None)

    def collect(self, execution: Execution, job: SegmentJob) -> Iterator[Call]:
        """Yield the results of all calls. Raises OperationFailedError if one is missing."""
        over = set()
        with translate_aws_errors():
            for call in results(self._s3, self._place, execution.name, job.shape):
                self._stop.check()
                yield call
                if call.over:
                    over.add((call.source, call.number))
        missing = {(part.source, part.segment.number) for part in job.parts} - over
        if missing:
            raise OperationFailedError(
                f"The results of {counted(len(missing), 'segment')} are not in {self.part.bucket}: "
                "somebody has deleted them. Run it again with --restart."
            )

    def delete_results(self, job: SegmentJob) -> None:
        """Delete what the job's executions have in the bucket, so that none is resumed.

        The list of an execution's segments, by which it is found, is deleted first, as its name
        sorts first: half of the results must never be taken for all. What a function still writes
        for a stopped execution stays until the next call.
        """
        pages = self._s3.get_paginator("list_objects_v2")
        with translate_aws_errors():
            for execution in self._open(job):
                self._stop_execution(execution)
            for page in pages.paginate(**self._place, Prefix=job.prefix):
                keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
                if keys:  # a page is as long as what can be deleted at once
                    self._s3.delete_objects(**self._place, Delete={"Objects": keys, "Quiet": True})

    def _open(self, job: SegmentJob) -> Iterator[Execution]:
        """Yield the job's executions whose results were not collected, the newest first."""
        pages = self._states.get_paginator("list_executions")
        found = [
            Execution(one["name"], one["executionArn"], one["startDate"], one["status"])
            for page in pages.paginate(stateMachineArn=self.part.state_machine)
            for one in page["executions"]
            if one["name"].startswith(job.prefix)
        ]
        for execution in sorted(found, key=lambda one: one.begun, reverse=True):
            if self._has_list(execution.name):
                yield execution

    def _has_list(self, name: str) -> bool:
        key = _list_of(name)
        listed = self._s3.list_objects_v2(**self._place, Prefix=key)
        return any(one["Key"] == key for one in listed.get("Contents", ()))

    def _begin(self, job: SegmentJob) -> Execution:
        name = f"{job.prefix}{time.time_ns():x}"
        parts = json.dumps([segment_to_event(part) for part in job.parts])
        self._s3.put_object(**self._place, Key=_list_of(name), Body=parts.encode())
        event = {
            "work": job.work,
            "how": job.how,
            "members": [
                member_to_event(one, self.part.readers.get(one.name)) for one in job.members
            ],
            "bucket": self.part.bucket,
            "run": name,
            "parts": _list_of(name),
        }
        begun = self._states.start_execution(
            stateMachineArn=self.part.state_machine, name=name, input=json.dumps(event)
        )
        return Execution(name, begun["executionArn"], begun["startDate"], _RUNNING)

    def _redrive(self, execution: Execution) -> None:
        """Retry the segments that failed.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
        """
        try:
            self._states.redrive_execution(executionArn=execution.arn)
        except ClientError as error:
            raise OperationFailedError(
                f"The execution of {execution.begun:%Y-%m-%d %H:%M %Z} "
                f"{execution.status.lower()}, and cannot be redriven: {error}. Start another with "
                "--restart."
            ) from error

    def _stop_execution(self, execution: Execution) -> None:
        if execution.status == _RUNNING:
            self._states.stop_execution(executionArn=execution.arn)

    def _wait(self, execution: Execution, parts: int, on_progress: ProgressCallback) -> None:
        while True:
            # First, since what was just begun or redriven may not be listed at once.
            self._sleep()
            seen = self._states.describe_execution(executionArn=execution.arn)
            counts = self._counts(execution)
            # The total is the job's: Step Functions counts only what it has listed so far.
            on_progress("working on segments", counts.get("succeeded", 0), parts)
            if seen["status"] == _SUCCEEDED:
                return
            if seen["status"] != _RUNNING:
                raise OperationFailedError(
                    self._failure(execution, seen, counts.get("succeeded", 0), parts)
                )

    def _counts(self, execution: Execution) -> Mapping[str, int]:
        """Return the number of segments by their state; empty before Step Functions knows."""
        for one in self._states.list_map_runs(executionArn=execution.arn)["mapRuns"]:
            counts: Mapping[str, int] = self._states.describe_map_run(mapRunArn=one["mapRunArn"])[
                "itemCounts"
            ]
            return counts
        return {}

    def _failure(
        self, execution: Execution, seen: Mapping[str, Any], succeeded: int, parts: int
    ) -> str:
        are = "is" if succeeded == 1 else "are"
        done = f"{succeeded:,} of {counted(parts, 'segment')} {are} done"
        cause = self._cause(execution) or seen.get("cause")
        return (
            f"The execution {seen['status'].lower()}: {cause} ({execution.arn}). {done}. The same "
            "command retries the rest; --restart starts over."
        )

    def _cause(self, execution: Execution) -> str | None:
        """Return why the first segment failed, if one did and the caller may read it."""
        with suppress(ClientError):
            for one in self._states.list_map_runs(executionArn=execution.arn)["mapRuns"]:
                failed = self._states.list_executions(
                    mapRunArn=one["mapRunArn"], statusFilter="FAILED", maxResults=1
                )["executions"]
                for each in failed:
                    seen = self._states.describe_execution(executionArn=each["executionArn"])
                    return f"{seen.get('error')}: {seen.get('cause')}"
        return None


def _list_of(name: str) -> str:
    """Return the key of the list of an execution's segments, by which the execution is found."""
    return f"{name}.json"

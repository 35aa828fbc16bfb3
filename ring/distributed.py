"""Component that checks and backfills whole tables in Lambda functions, one per segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ring.arn import Arn
from ring.component_types import DISTRIBUTED
from ring.policies.distributed import (
    log_delivery_policy,
    machine_policy,
    reader_policy,
    segments_policy,
)
from ring.policies.statements import Bucket
from ring.policies.trust import lambda_trust, states_trust, writer_trust
from ring.replica import Replica
from ring.resources.lambda_archive import lambda_archive
from ring.resources.private_bucket import RESULTS_KEPT, private_bucket
from ring.resources.runtime_updates import runtime_updates
from ring.settings.settings import Settings
from ring.state_machine import state_machine

_TIMEOUT = 900
"""Seconds, Lambda's maximum. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_LOG_GROUP_PREFIX = "/aws/vendedlogs/states/"
"""Prefix of the state machine's log group. Without it, the region's resource policy for log
delivery grows with every group until it is too long.
https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html"""


class Distributed(pulumi.ComponentResource):
    """A state machine that invokes a function for each segment, and a bucket for the results.

    Everything is in one member's region and account. For each member that needs other credentials
    there is a role in that member's account, which the function assumes. The bucket is deleted with
    its objects: they can be produced again.
    """

    def __init__(
        self,
        name: str,
        runner: Replica,
        replicas: Sequence[Replica],
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(DISTRIBUTED, name, {}, opts)
        self._name = name
        self._runner = runner
        self._settings = settings
        self._opts = pulumi.ResourceOptions(parent=self, provider=runner.provider)
        self._results = private_bucket(
            name, "results", runner.member, self._opts, kept_days=RESULTS_KEPT
        )
        self._log_group = self._declare_log_group(name)
        self._role = self._declare_role(name, "Processes segments", lambda_trust())
        credentials = runner.member.credentials
        direct = [found for found in replicas if found.member.credentials == credentials]
        self._readers = {
            replica.member.name: self._reader_role(replica)
            for replica in replicas
            if replica not in direct
        }
        policy = self._policy(direct)
        self._function = self._declare_function(policy)
        runtime_updates(name, self._function, settings, self._opts)
        self._machine = self._declare_machine()
        self.register_outputs(self.summary)

    @property
    def summary(self) -> Mapping[str, Any]:
        """The component in the stack's outputs.

        `member` and `bucket` are names, `machine` and `function` ARNs. `readers` has the ARN of the
        role to assume, by member. `writes` is true if the function may write.
        """
        return {
            "member": self._runner.member.name,
            "machine": self._machine.arn,
            "function": self._function.arn,
            "bucket": self._results.bucket,
            "readers": {member: role.arn for member, role in self._readers.items()},
            "writes": self._settings.distributed.writes,
        }

    @property
    def _bucket(self) -> pulumi.Output[Bucket]:
        """The bucket, for policies. Its owner is the account of the other resources."""
        member = self._runner.member
        return pulumi.Output.all(self._results.arn, self._log_group.arn).apply(
            lambda arns: Bucket(arns[0], member.region, Arn.parse(arns[1]).account, member.kms_key)
        )

    def _declare_log_group(self, name: str, prefix: str | None = None) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name_prefix=prefix,
            retention_in_days=self._settings.function.log_retention_days,
            kms_key_id=self._runner.member.kms_key,
            opts=self._opts,
        )

    def _declare_role(
        self,
        name: str,
        description: str,
        trust: pulumi.Input[Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> aws.iam.Role:
        return aws.iam.Role(
            name,
            description=description,
            assume_role_policy=pulumi.Output.json_dumps(trust),
            opts=opts or self._opts,
        )

    def _reader_role(self, replica: Replica) -> aws.iam.Role:
        """Declare the role in a member's account that the function assumes."""
        # The member's id: a role's name has no room for every ring's and every member's name.
        name, writes = f"{self._name}-{replica.member.id}", self._settings.distributed.writes
        opts = pulumi.ResourceOptions(parent=self, provider=replica.provider)
        trust = self._role.arn.apply(writer_trust)
        description = f"Processes segments of the ring's member {replica.member.resource_name}"
        role = self._declare_role(name, description, trust, opts)
        document = replica.end.apply(lambda end: reader_policy(end, writes=writes))
        aws.iam.RolePolicy(
            name, role=role.name, policy=pulumi.Output.json_dumps(document), opts=opts
        )
        return role

    def _policy(self, direct: Sequence[Replica]) -> aws.iam.RolePolicy:
        document = pulumi.Output.all(
            direct=[replica.end for replica in direct],
            roles=[role.arn for role in self._readers.values()],
            log_group=self._log_group.arn,
            results=self._bucket,
            writes=self._settings.distributed.writes,
        ).apply(lambda parts: segments_policy(**parts))
        return aws.iam.RolePolicy(
            self._name,
            role=self._role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self._opts,
        )

    def _declare_function(self, policy: aws.iam.RolePolicy) -> aws.lambda_.Function:
        return aws.lambda_.Function(
            self._name,
            description="Processes segments of a ring's tables",
            role=self._role.arn,
            runtime="python3.13",
            architectures=["arm64"],
            handler="operate.distributed.worker.handle",
            code=lambda_archive("handler", "operate.distributed.worker"),
            memory_size=self._settings.distributed.memory,
            timeout=_TIMEOUT,
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=self._log_group.name
            ),
            opts=pulumi.ResourceOptions.merge(
                self._opts, pulumi.ResourceOptions(depends_on=[policy])
            ),
        )

    def _declare_machine(self) -> aws.sfn.StateMachine:
        name = f"{self._name}-machine"
        trust = self._log_group.arn.apply(lambda arn: states_trust(arn, self._name))
        role = self._declare_role(name, "Runs the segments", trust)
        at_once = self._settings.distributed.at_once
        partition = self._runner.member.partition
        definition = self._function.arn.apply(
            lambda function: state_machine(function, partition, at_once)
        )
        executions = self._declare_log_group(name, f"{_LOG_GROUP_PREFIX}{self._name}-")
        may_log = aws.iam.RolePolicy(
            f"{name}-logs",
            role=role.name,
            policy=pulumi.Output.json_dumps(log_delivery_policy()),
            opts=self._opts,
        )
        machine = aws.sfn.StateMachine(
            self._name,
            definition=pulumi.Output.json_dumps(definition),
            role_arn=role.arn,
            logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
                # Start and outcome of every execution and segment, without their data.
                level="ALL",
                include_execution_data=False,
                log_destination=executions.arn.apply(lambda arn: f"{arn}:*"),
            ),
            opts=pulumi.ResourceOptions.merge(
                self._opts, pulumi.ResourceOptions(depends_on=[may_log])
            ),
        )
        document = pulumi.Output.all(
            machine=machine.arn, function=self._function.arn, results=self._bucket
        ).apply(lambda arns: machine_policy(**arns))
        # Created last, since it has the machine's ARN. Nothing runs before the stack is complete.
        aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self._opts,
        )
        return machine

"""Component of one hop: replicates a member's changes to the next member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from ring.arn import Arn
from ring.component_types import HOP
from ring.hop_metrics import HopMetrics
from ring.partitions import mappings_are_limited
from ring.policies.hop import hop_policy, writer_policy
from ring.policies.statements import Bucket, SecretAccess
from ring.policies.trust import lambda_trust, writer_trust
from ring.replica import Replica
from ring.resources.function_environment import environment
from ring.resources.heartbeat import heartbeat_rule
from ring.resources.lambda_archive import lambda_archive
from ring.resources.runtime_updates import runtime_updates
from ring.settings.settings import Settings


class Hop(pulumi.ComponentResource):
    """A function that reads the source's stream and writes to the target, with all it needs.

    Everything is in the source's region and account. If the target needs other credentials, there
    is also a role in the target's account, which the function assumes. If the target is in another
    partition, the function writes as a user there, whose access keys it reads from a secret.
    """

    function: aws.lambda_.Function
    mapping: aws.lambda_.EventSourceMapping

    def __init__(
        self,
        name: str,
        source: Replica,
        target: Replica,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(HOP, name, {}, opts)
        self.source = source
        self.target = target
        self.name = name
        self._settings = settings
        self._opts = pulumi.ResourceOptions(parent=self, provider=source.provider)

        assert source.quarantine  # a hop's source is never `named_only`
        self._quarantine = source.quarantine
        self._log_group = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=settings.function.log_retention_days,
            kms_key_id=source.member.kms_key,
            opts=self._opts,
        )
        self._role = aws.iam.Role(
            name,
            description=f"Replicates {self._title}",
            assume_role_policy=pulumi.Output.json_dumps(lambda_trust()),
            opts=self._opts,
        )
        self._secret = self._writer_secret()
        self._writer = None if self._secret else self._writer_role()
        policy = self._policy()
        self.function = self._function()
        runtime_updates(name, self.function, settings, self._opts)
        self.mapping = self._mapping(policy)
        if settings.heartbeat.enabled:
            heartbeat_rule(name, self.function, settings.heartbeat.every, self._opts)
        self.register_outputs(self.summary)

    @property
    def summary(self) -> Mapping[str, pulumi.Input[str]]:
        """The hop in the stack's outputs: members by name, the mapping by its UUID.

        For a target in another partition, `writer` is the user whose keys belong in the secret.
        """
        return {
            "source": self.source.member.name,
            "target": self.target.member.name,
            "function": self.function.arn,
            "mapping": self.mapping.id,
            "quarantine": self._quarantine.bucket,
            **({"writer": self.target.writer.name} if self._secret else {}),
        }

    @property
    def metrics(self) -> HopMetrics:
        """The hop's CloudWatch metrics."""
        source, target = self.source.member, self.target.member
        return HopMetrics(source, target, self.function.name, self.mapping.id)

    @property
    def _title(self) -> str:
        # Resource names: a description has at most 256 characters, too few for two tables' names.
        source, target = self.source.member.resource_name, self.target.member.resource_name
        return f"changes of the ring from {source} to {target}"

    def _writer_secret(self) -> SecretAccess | None:
        """Return the secret with the access keys for a target in another partition."""
        if self.source.member.partition == self.target.member.partition:
            return None
        secret = self.target.member.writer_secret
        assert secret  # the settings' rules require it
        return SecretAccess(secret.arn, secret.kms_key)

    def _writer_role(self) -> aws.iam.Role | None:
        """Declare a role in the target's account, if the function's own cannot write there."""
        if self.source.member.credentials == self.target.member.credentials:
            return None
        opts = pulumi.ResourceOptions(parent=self, provider=self.target.provider)
        role = aws.iam.Role(
            f"{self.name}-writer",
            description=f"Writes {self._title}",
            assume_role_policy=pulumi.Output.json_dumps(self._role.arn.apply(writer_trust)),
            opts=opts,
        )
        aws.iam.RolePolicy(
            f"{self.name}-writer",
            role=role.name,
            policy=pulumi.Output.json_dumps(self.target.end.apply(writer_policy)),
            opts=opts,
        )
        return role

    @property
    def _account(self) -> pulumi.Output[str]:
        """The account of all resources, except the role in the target's account."""
        return self._role.arn.apply(lambda role: Arn.parse(role).account)

    def _policy(self) -> aws.iam.RolePolicy:
        member = self.source.member
        document = pulumi.Output.all(
            source=self.source.end,
            stream=self.source.stream_arn,
            log_group=self._log_group.arn,
            quarantine=pulumi.Output.all(self._quarantine.arn, self._account).apply(
                lambda parts: Bucket(parts[0], member.region, parts[1], member.kms_key)
            ),
            target=self._secret or (self._writer.arn if self._writer else self.target.end),
        ).apply(lambda arns: hop_policy(**arns))
        return aws.iam.RolePolicy(
            self.name,
            role=self._role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=self._opts,
        )

    def _function(self) -> aws.lambda_.Function:
        variables = environment(
            self.source.member,
            self.target.member,
            self._settings,
            quarantine=(self._quarantine.bucket, self._account),
            target_role=self._writer.arn if self._writer else None,
        )
        return aws.lambda_.Function(
            self.name,
            description=f"Replicates {self._title}",
            role=self._role.arn,
            runtime="python3.13",
            architectures=["arm64"],
            handler="handler.app.handle",
            code=lambda_archive("handler"),
            memory_size=self._settings.function.memory,
            timeout=self._settings.function.timeout,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=variables),
            # The handler writes its own JSON lines. In the format Text, Lambda does not wrap them.
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=self._log_group.name
            ),
            opts=self._opts,
        )

    def _mapping(self, policy: aws.iam.RolePolicy) -> aws.lambda_.EventSourceMapping:
        mapping = self._settings.mapping
        return aws.lambda_.EventSourceMapping(
            self.name,
            function_name=self.function.arn,
            event_source_arn=self.source.stream_arn,
            # Always set, so that an update reverts a change made by hand.
            enabled=not self.source.member.paused,
            starting_position=mapping.starting_position,
            batch_size=mapping.batch_size,
            maximum_batching_window_in_seconds=mapping.batching_window,
            parallelization_factor=mapping.parallelization_factor,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            **self._giving_up(),
            opts=pulumi.ResourceOptions.merge(
                self._opts,
                pulumi.ResourceOptions(
                    provider=self.source.mapping_provider,
                    # Lambda checks the role's access to the stream when the mapping is created.
                    depends_on=[policy],
                    # It only matters at creation. A change would replace the mapping, and Lambda
                    # accepts no second one of the same stream and function.
                    ignore_changes=["startingPosition"],
                ),
            ),
        )

    def _giving_up(self) -> dict[str, Any]:
        """Return when the mapping gives records up, and where they go then.

        Where they could not go to the quarantine, they stay in the stream: -1 is for ever.
        """
        if mappings_are_limited(self.source.member.partition):
            return {"maximum_retry_attempts": -1, "maximum_record_age_in_seconds": -1}
        on_failure = aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
            destination_arn=self._quarantine.arn
        )
        counts = aws.lambda_.EventSourceMappingMetricsConfigArgs(metrics=["EventCount"])
        return {
            "maximum_retry_attempts": self._settings.mapping.retries,
            "maximum_record_age_in_seconds": self._settings.mapping.record_age,
            "destination_config": aws.lambda_.EventSourceMappingDestinationConfigArgs(
                on_failure=on_failure
            ),
            # No other metric counts the batches that Lambda sends to the failure destination.
            "metrics_config": counts if self._settings.monitoring.enabled else None,
        }

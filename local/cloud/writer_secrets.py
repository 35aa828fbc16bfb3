"""Create the writer secrets that a stack expects to exist, with access keys that work locally."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.cloud.existing_tables import provider_arguments
from ring.arn import Arn
from ring.settings.members import members_of

if TYPE_CHECKING:
    from local.cloud.cloud import Cloud
    from local.cloud.program import Deployment
    from ring.settings.settings import Settings


def create_writer_secrets(
    settings: Settings, deployment: Deployment, cloud: Cloud, written: dict[str, str] | None = None
) -> None:
    """Create an access key for each user that a hop writes as, and store it in the hop's secret.

    An operator does this with `aws iam create-access-key` and `aws secretsmanager create-secret`
    (docs/decisions/0005-other-partitions.md). `written` are the users by members whose keys are in
    the secrets since an earlier call; new ones are added to it.
    """
    written = {} if written is None else written
    members = {member.name: member for member in members_of(settings)}
    # By their targets: two hops to one member read the same secret.
    crossing = {hop["target"]: hop for hop in deployment.outputs["hops"] if "writer" in hop}
    for hop in crossing.values():
        source, target = members[hop["source"]], members[hop["target"]]
        assert target.writer_secret
        if written.get(target.name) == hop["writer"]:
            continue
        location = cloud.location(provider_arguments(target))
        created = location.clients.iam(location.region).create_access_key(UserName=hop["writer"])
        keys = {name: created["AccessKey"][name] for name in ("AccessKeyId", "SecretAccessKey")}
        arn = target.writer_secret.arn
        secrets = cloud.location(provider_arguments(source)).clients.secrets(Arn.parse(arn).region)
        # moto ends an ARN with random characters, but finds a secret whose name is the whole ARN.
        if target.name in written:
            secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(keys))
        else:
            secrets.create_secret(Name=arn, SecretString=json.dumps(keys))
        written[target.name] = hop["writer"]

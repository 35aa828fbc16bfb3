"""The secrets that a stack expects to find, with keys in them that work here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.cloud.existing_tables import provider_of
from ring.arn import Arn
from ring.settings.members import members_of

if TYPE_CHECKING:
    from local.cloud.cloud import Cloud
    from local.cloud.program import Deployment
    from ring.settings.settings import Settings


def keep_secrets(settings: Settings, deployment: Deployment, cloud: Cloud) -> None:
    """Make keys for each user that a hop writes as, and put them where the hop will read them.

    What a person does with `aws iam create-access-key` and `aws secretsmanager create-secret`
    (docs/decisions/0005-other-partitions.md).
    """
    members = {member.name: member for member in members_of(settings)}
    # By their targets: two hops to one member read the same secret.
    crossing = {told["target"]: told for told in deployment.outputs["hops"] if "writer" in told}
    for told in crossing.values():
        source, target = members[told["source"]], members[told["target"]]
        assert target.writer_secret
        there = cloud.place(provider_of(target))
        made = there.clients.iam(there.region).create_access_key(UserName=told["writer"])
        keys = {name: made["AccessKey"][name] for name in ("AccessKeyId", "SecretAccessKey")}
        arn = target.writer_secret.arn
        secrets = cloud.place(provider_of(source)).clients.secrets(Arn.parse(arn).region)
        # moto makes up how an ARN ends; what is named like a whole ARN, it finds by that.
        secrets.create_secret(Name=arn, SecretString=json.dumps(keys))

"""The Pulumi program, for `pulumi up` and for automate.py."""

from __future__ import annotations

import pulumi

from ring.aws_modules import load_aws_modules
from ring.ring import Ring
from ring.settings.settings import Settings


def build(settings: Settings) -> Ring:
    """Declare a stack's ring and export the stack's outputs. Must run under Pulumi."""
    load_aws_modules()
    ring = Ring("ring", settings)
    pulumi.export("members", ring.members)
    pulumi.export("hops", ring.hops)
    pulumi.export("topics", ring.topics)
    pulumi.export("dashboards", ring.dashboards)
    pulumi.export("distributed", ring.distributed)
    return ring

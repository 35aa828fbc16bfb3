"""What the Pulumi program does, wherever it is run from: `pulumi up`, or automate.py."""

from __future__ import annotations

import pulumi

from ring.ring import Ring
from ring.settings.settings import Settings


def build(settings: Settings) -> Ring:
    """Declare the ring of a stack, and export what the stack tells of it. Runs under Pulumi."""
    ring = Ring("ring", settings)
    pulumi.export("members", ring.members)
    pulumi.export("hops", ring.hops)
    pulumi.export("topics", ring.topics)
    pulumi.export("dashboards", ring.dashboards)
    pulumi.export("distributed", ring.distributed)
    return ring

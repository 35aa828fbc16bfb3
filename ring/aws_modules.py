"""The modules of Pulumi's AWS package that the components use, loaded safely.

Pulumi loads a module of the package when it is first used, and another thread sees it half loaded
meanwhile (`pulumi._utils._LazyModule` has no lock). Rings that are deployed at the same time run
their programs in threads of one process.
"""

from __future__ import annotations

import threading

import pulumi_aws as aws

MODULES = (aws.cloudwatch, aws.dynamodb, aws.iam, aws.lambda_, aws.s3, aws.sfn, aws.sns)
"""The modules that the components use."""

_LOADING = threading.Lock()


def load_aws_modules() -> None:
    """Load the modules; a second thread waits until they are there."""
    with _LOADING:
        for module in MODULES:
            getattr(module, "__all__", None)  # an access to any such attribute loads it

"""When Lambda may put a newer runtime, and with it a newer botocore, under a function."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.settings.settings import Settings


def runtime_updates(
    name: str, function: aws.lambda_.Function, settings: Settings, opts: pulumi.ResourceOptions
) -> None:
    """Have a function's runtime updated when the function is, unless Lambda may at any time.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
    """
    if settings.function.runtime_updates == "function_update":
        aws.lambda_.RuntimeManagementConfig(
            name, function_name=function.name, update_runtime_on="FunctionUpdate", opts=opts
        )

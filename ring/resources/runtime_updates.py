"""When Lambda may update a function's runtime, and with it botocore."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.settings.settings import Settings


def runtime_updates(
    name: str, function: aws.lambda_.Function, settings: Settings, opts: pulumi.ResourceOptions
) -> None:
    """Restrict runtime updates to updates of the function, if the settings say so.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
    """
    if settings.function.runtime_updates == "function_update":
        aws.lambda_.RuntimeManagementConfig(
            name, function_name=function.name, update_runtime_on="FunctionUpdate", opts=opts
        )

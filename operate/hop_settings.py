"""Configuration of a deployed hop, read from its function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from handler.config import HopConfig
from ring.arn import Arn

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def settings_of(functions: LambdaClient, function: str) -> HopConfig:
    """Return the configuration of a hop's function, given its ARN or name.

    Raises:
        handler.config.HopConfigError: it is not a ring's function.
        botocore.exceptions.ClientError: it cannot be read.
    """
    response = functions.get_function_configuration(FunctionName=function)
    variables: Mapping[str, str] = response.get("Environment", {}).get("Variables", {})
    settings = HopConfig.read(variables)
    # The quarantine belongs to the function's account. Older environments do not contain that.
    return replace(settings, quarantine_owner=Arn.parse(response["FunctionArn"]).account)

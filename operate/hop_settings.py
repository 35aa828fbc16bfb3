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
    """The hop that a function is, by its own environment. `function` is its ARN or name.

    Raises:
        handler.config.SettingsError: it is no function of a ring.
        botocore.exceptions.ClientError: it cannot be read.
    """
    found = functions.get_function_configuration(FunctionName=function)
    variables: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
    settings = HopConfig.read(variables)
    # Its bucket is its account's, also where its environment is of a time that did not say so.
    return replace(settings, quarantine_owner=Arn.parse(found["FunctionArn"]).account)

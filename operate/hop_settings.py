"""Configuration of a deployed hop, read from its function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from handler.config import HopConfig

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
    return HopConfig.read(variables)

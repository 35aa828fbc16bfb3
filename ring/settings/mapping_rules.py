"""Rules between settings of the event source mapping and its function. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ring.settings.errors import SettingProblem
from ring.settings.sections import FunctionSettings, MappingSettings


def check_mapping(mapping: MappingSettings, function: FunctionSettings) -> Iterator[SettingProblem]:
    """Require that records are young enough for two attempts after the batching window.

    Lambda discards a record above its maximum age, also one that the function was never given. It
    gathers a batch for the whole window, unless it is full before. A shard's next batch has to wait
    for the one in progress, which may take the function's timeout; and so may a first attempt that
    fails.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    least = mapping.batching_window + 2 * function.timeout
    if mapping.record_age < least:
        yield SettingProblem(
            "mapping.record_age",
            mapping.record_age,
            f"Lambda discards records unread after {mapping.record_age} seconds, and waits "
            f"{mapping.batching_window} seconds for a batch (mapping.batching_window) before two "
            f"attempts of {function.timeout} seconds (function.timeout)",
            f"Write {least} or more, or reduce mapping.batching_window or function.timeout.",
        )

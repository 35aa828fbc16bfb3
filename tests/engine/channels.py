"""Connections of Pulumi's programs to their engines, where one process runs hundreds of them."""

from __future__ import annotations

from pulumi.runtime import _grpc_settings

_OPTIONS: list[tuple[str, int]] = _grpc_settings._GRPC_CHANNEL_OPTIONS
# https://grpc.github.io/grpc/core/group__grpc__arg__keys.html (GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL)
_OWN = ("grpc.use_local_subchannel_pool", 1)


def connect_each_program() -> None:
    """Give each program a connection of its own.

    By default gRPC shares one among all channels of a process to the same address, and a channel
    that was refused keeps trying, ever more rarely. Where a later engine listens at the port of one
    that has ended, its program would take over that failure: "Connection refused".
    """
    if _OWN not in _OPTIONS:
        _OPTIONS.append(_OWN)

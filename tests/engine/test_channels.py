"""A program reaches its engine, whatever the engines before it left behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.settings import Settings

from tests.engine.channels import connect_each_program


class _Log(engine_pb2_grpc.EngineServicer):
    def Log(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        return empty_pb2.Empty()


@contextmanager
def engine_at(port: int) -> Iterator[int]:
    """Serve an engine's log at a port, 0: any free one."""
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        register: Any = engine_pb2_grpc.add_EngineServicer_to_server
        register(_Log(), server)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield port
        finally:
            server.stop(0).wait()


def log_of_a_program(port: int) -> Any:
    """Connect as a program does, and return what logs a message."""
    engine: Any = Settings("project", "stack", engine=f"127.0.0.1:{port}").engine
    return lambda: engine.Log(engine_pb2.LogRequest(message="hello"))


def test_a_program_reaches_an_engine_at_the_port_of_one_that_has_ended() -> None:
    connect_each_program()
    with engine_at(0) as port:
        before = log_of_a_program(port)
        before()
    with pytest.raises(grpc.RpcError, match="refused"):
        before()
    with engine_at(port):
        log_of_a_program(port)()

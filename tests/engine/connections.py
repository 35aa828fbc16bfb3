"""A connection to the provider, like the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.engine.provider.protobuf import encoded


class Connection:
    """A connection like those that the engine opens, one for each provider of a stack."""

    def __init__(self, port: str) -> None:
        # By default, connections of a process share a socket.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        make: Any = provider_pb2_grpc.ResourceProviderStub
        self.stub: Any = make(self._channel)
        self.stub.Handshake(provider_pb2.ProviderHandshakeRequest())

    def configured(self, **inputs: Any) -> Connection:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encoded(inputs)))
        return self

    def check(
        self, token: str, inputs: Mapping[str, Any], old: Mapping[str, Any] | None = None
    ) -> Any:
        return self.stub.Check(
            provider_pb2.CheckRequest(
                urn=f"urn:pulumi:s::p::{token}::one",
                name="one",
                type=token,
                news=encoded(inputs),
                olds=encoded(old or {}),
            )
        )

    def diff(self, token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id="one",
                name="one",
                type=token,
                old_inputs=encoded(old),
                olds=encoded(old),
                news=encoded(new),
            )
        )

    def create(self, token: str, inputs: Mapping[str, Any], *, preview: bool = False) -> Any:
        return self.stub.Create(
            provider_pb2.CreateRequest(
                name="one", type=token, properties=encoded(inputs), preview=preview
            )
        )

    def close(self) -> None:
        self._channel.close()

    def read(self, token: str, id_: str, **known: Mapping[str, Any]) -> Any:
        fields: Any = {name: encoded(value) for name, value in known.items()}
        return self.stub.Read(provider_pb2.ReadRequest(id=id_, name="one", type=token, **fields))

    def update(self, token: str, id_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
        """Update a resource whose inputs and outputs are `old`."""
        return self.stub.Update(
            provider_pb2.UpdateRequest(
                id=id_,
                name="one",
                type=token,
                old_inputs=encoded(old),
                olds=encoded(old),
                news=encoded(new),
            )
        )

    def delete(self, token: str, id_: str, state: Mapping[str, Any]) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(id=id_, name="one", type=token, properties=encoded(state))
        )

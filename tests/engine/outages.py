"""Outages of regions for the AWS provider."""

from __future__ import annotations

from typing import Any

import grpc

from tests.engine.provider.protobuf import decoded

_OF_THE_PLUGIN = ("GetPluginInfo", "Handshake", "Attach", "Cancel", "GetSchema", "GetMapping")


class Unreachable(grpc.ServerInterceptor):
    """Fail every call of the provider for a lost region.

    The AWS provider calls STS in its region when it is checked or configured, and DynamoDB when it
    plans a table. Here every call fails, so that a test only has to show that there was none.
    """

    def __init__(self) -> None:
        self.regions: set[str] = set()
        """The lost regions."""
        self.asked: list[str] = []
        """The calls for lost regions."""
        self._places: dict[str, str] = {}

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Pass on calls for other regions."""
        method = details.method.rpartition("/")[2]
        handler = continuation(details)
        if method in _OF_THE_PLUGIN or handler is None:
            return handler

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            region = self._region(method, request, context.peer())
            if region in self.regions:
                self.asked.append(f"{method} {getattr(request, 'urn', '')}")
                context.abort(grpc.StatusCode.UNAVAILABLE, f"{region} does not answer.")
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )

    def _region(self, method: str, request: Any, peer: str) -> str | None:
        """Return the region of a call; for a resource, that of the connection's provider."""
        if method in ("CheckConfig", "DiffConfig"):
            return str(decoded(request.news)["region"])
        if method == "Configure":
            self._places[peer] = str(decoded(request.args)["region"])
        return self._places.get(peer)

"""Regions in which the AWS provider gets no answer, whatever the engine asks it to do there."""

from __future__ import annotations

from typing import Any

import grpc

from tests.engine.provider.protobuf import decoded

_OF_THE_PLUGIN = ("GetPluginInfo", "Handshake", "Attach", "Cancel", "GetSchema", "GetMapping")


class Unreachable(grpc.ServerInterceptor):
    """Fails every call for a lost region: of the provider itself, a plan, a change or a question.

    The real provider asks STS in its own region when it is checked or configured, and DynamoDB
    whenever it plans a table; here nothing at all gets through, so that no more needs to be known
    of it than that the engine calls nothing.
    """

    def __init__(self) -> None:
        self.regions: set[str] = set()
        """Those that are lost."""
        self.asked: list[str] = []
        """What was asked for them all the same."""
        self._places: dict[str, str] = {}

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Let calls for other regions through."""
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
        """The region that a call is for: of a resource, that of the provider on its connection."""
        if method in ("CheckConfig", "DiffConfig"):
            return str(decoded(request.news)["region"])
        if method == "Configure":
            self._places[peer] = str(decoded(request.args)["region"])
        return self._places.get(peer)

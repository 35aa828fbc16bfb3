"""An AWS provider for Pulumi's engine, in this process, over the local cloud.

With `PULUMI_DEBUG_PROVIDERS=aws:PORT` in its environment, the engine attaches to the server at that
port instead of starting the provider's plugin, with the same protocol:
https://github.com/pulumi/pulumi/blob/v3.274.1/proto/pulumi/provider.proto
Resources are created by the same code as in a local ring (`local.cloud.resources`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn, Self

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from local.cloud.cloud import (
    PROVIDER,
    Change,
    Cloud,
    CloudError,
    NameTooLongError,
    PartialCreateError,
    provider_inputs,
    resource_type_of,
)
from local.cloud.diff import difference
from local.cloud.validation import failures
from tests.engine.provider.protobuf import archives, decoded, encoded
from tests.engine.provider.state import (
    checked,
    inputs_to_import,
    previewed,
    refreshed,
    was,
    with_kept,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.cloud.resources import Location, Properties

_LOOPBACK = "127.0.0.1"
_WORKERS = 32
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class EngineProvider:
    """Server of an AWS provider to which the engine can attach, while the context lasts.

    The engine must be started with `environment`. `interceptors` are called before each call.
    """

    def __init__(self, cloud: Cloud, interceptors: Sequence[grpc.ServerInterceptor] = ()) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(_WORKERS, "provider"),
            interceptors=list(interceptors),
            options=_ANY_SIZE,
        )
        register: Any = provider_pb2_grpc.add_ResourceProviderServicer_to_server
        register(Servicer(cloud), self._server)
        self._port = 0

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables that make the engine attach to this provider."""
        return {"PULUMI_DEBUG_PROVIDERS": f"aws:{self._port}"}

    def __enter__(self) -> Self:
        self._port = self._server.add_insecure_port(f"{_LOOPBACK}:0")
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None).wait()


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Implementation of the provider's protocol.

    A stack has a provider for each member, with its own region and credentials, and all of them are
    served here. Requests for resources do not name their provider. But the engine attaches once for
    each, with a connection of its own that it keeps open (`NewProvider` in pulumi's
    sdk/go/common/resource/plugin/provider_plugin.go). So the configuration is stored by the
    connection of `Configure`. A connection without one gets an error: it never uses another's.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._places: dict[str, Location] = {}

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Return the version of the Python package, which defines the arguments' types."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def Handshake(self, _request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Start a connection; drop the configuration of an earlier one with the same address."""
        self._places.pop(context.peer(), None)
        # Secrets and references are not accepted, so the engine sends plain values, and marks the
        # outputs of secret inputs as secret by itself.
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Ignore the engine's address: the provider sends it no requests."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Validate a provider's arguments."""
        wrong = _refused(PROVIDER, provider_inputs(decoded(request.news)))
        return provider_pb2.CheckResponse(inputs=request.news, failures=wrong)

    def DiffConfig(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Compare a provider's arguments.

        A change never replaces the provider. Another region replaces its regional resources, each
        by its own `region`:
        https://github.com/pulumi/pulumi-aws/blob/master/provider/region.go
        """
        old, new = decoded(request.old_inputs), decoded(request.news)
        diffs = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        changes = provider_pb2.DiffResponse.DIFF_SOME if diffs else _NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=diffs)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Store the location of the resources that are requested on this connection."""
        self._places[context.peer()] = self._cloud.location(decoded(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Validate a resource's arguments, and add generated ones."""
        place = self._place(context)
        news = decoded(request.news)
        wrong = _refused(request.type, news)
        if wrong:
            return provider_pb2.CheckResponse(failures=wrong)
        resource_type = self._resource_type(request, context)
        try:
            inputs = checked(resource_type, request.name, decoded(request.olds), news, place)
        except NameTooLongError as error:
            failure = provider_pb2.CheckFailure(property=resource_type.name, reason=str(error))
            return provider_pb2.CheckResponse(failures=[failure])
        return provider_pb2.CheckResponse(inputs=encoded(inputs))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Compare a resource's inputs."""
        resource_type, new = self._resource_type(request, context), decoded(request.news)
        old = was(resource_type, decoded(request.old_inputs), decoded(request.olds))
        self._validate_plan(request, context, old, new)
        found = difference(resource_type, old, new)
        kinds = {
            name: provider_pb2.PropertyDiff(
                kind=_KIND.Value(f"{how}_REPLACE" if name in found.replacing else how),
                inputDiff=True,
            )
            for name, how in found.changed.items()
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if kinds else _NONE,
            diffs=list(kinds),
            replaces=sorted(found.replacing),
            deleteBeforeReplace=found.delete_first,
            detailedDiff=kinds,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Create a resource, or, in a preview, return its known outputs."""
        inputs = decoded(request.properties)
        place = self._place(context).of(inputs)
        if request.preview:
            self._validate_plan(request, context, {}, inputs)
            outputs = previewed(self._resource_type(request, context), inputs)
            return provider_pb2.CreateResponse(properties=encoded(outputs))
        try:
            made, outputs = self._cloud.create(request.type, request.name, archives(inputs), place)
        except PartialCreateError as error:
            _abort_unfinished(context, error)
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return provider_pb2.CreateResponse(id=made, properties=encoded({**outputs, **inputs}))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Read a resource, to refresh or to import it."""
        state, inputs = decoded(request.properties), decoded(request.inputs)
        place = self._place(context).of(inputs or state)
        try:
            seen = self._cloud.read(request.type, request.name, request.id, place)
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        if seen is None:
            return provider_pb2.ReadResponse()
        resource_type = self._resource_type(request, context)
        if inputs:
            outputs = with_kept(resource_type, refreshed(resource_type, state, seen, place), seen)
            inputs = refreshed(resource_type, inputs, seen, place)
        else:
            inputs = inputs_to_import(request.type, resource_type, seen, place)
            outputs = {**inputs, **{name: seen[name] for name in resource_type.computed}}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=encoded({**outputs, "id": request.id}),
            inputs=encoded(inputs),
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Update a resource, or, in a preview, return its new outputs."""
        resource_type, outputs = self._resource_type(request, context), decoded(request.olds)
        old = was(resource_type, decoded(request.old_inputs), outputs)
        new = resource_type.plan(old, decoded(request.news))
        place = self._place(context).of(new)
        kept = {name: value for name, value in outputs.items() if name not in old}
        if not request.preview:
            change = Change(old, archives(new))
            try:
                kept |= self._cloud.update(request.type, request.name, request.id, change, place)
            except CloudError as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return provider_pb2.UpdateResponse(properties=encoded({**kept, **new}))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Delete a resource in the region where it was created."""
        state = decoded(request.properties)
        place = self._place(context).of(state)
        try:
            self._cloud.delete(request.type, request.name, request.id, place, state)
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Call a function of the provider."""
        try:
            answer = self._cloud.call(request.tok, decoded(request.args), self._place(context))
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encoded(answer))
        return response

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Do nothing: no call takes long."""
        return empty_pb2.Empty()

    def _place(self, context: grpc.ServicerContext) -> Location:
        place = self._places.get(context.peer())
        if place is None:
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                "This connection was not configured, so the location of its resources is unknown.",
            )
        return place

    def _validate_plan(
        self, request: Any, context: grpc.ServicerContext, old: Properties, new: Properties
    ) -> None:
        try:
            self._cloud.validate_plan(
                request.type, request.name, old, new, self._place(context).of(new)
            )
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _resource_type(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return resource_type_of(request.type, request.name)
        except CloudError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))


_NONE = provider_pb2.DiffResponse.DIFF_NONE
_KIND = provider_pb2.PropertyDiff.Kind


def _refused(token: str, inputs: Mapping[str, Any]) -> list[Any]:
    return [
        provider_pb2.CheckFailure(property=failure.property, reason=failure.reason)
        for failure in failures(token, inputs)
    ]


def _abort_unfinished(context: grpc.ServicerContext, error: PartialCreateError) -> NoReturn:
    """Report a resource as created but incomplete, so that the engine keeps it in its state."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=encoded(error.outputs), reasons=[str(error)]
        )
    )
    status = status_pb2.Status(
        code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail]
    )
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))

"""AWS on this machine: moto's server in a thread, on the loopback address only.

Another server can provide DynamoDB (see `local.endpoint.dynamodb_proxy`).
"""

from __future__ import annotations

import io
import logging
import socket
import threading
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from moto.moto_server import werkzeug_app
from werkzeug.datastructures import EnvironHeaders
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from local.endpoint import browser_guard, direct_dynamodb
from local.endpoint.control_api import Request
from local.endpoint.dynamodb_proxy import DynamoDBProxy
from local.endpoint.fault_injection import Faults, NoAnswerError
from local.endpoint.listener import LOOPBACK, Port, ServerError, listen
from local.endpoint.own_requests import Answer, Own, json_answer
from local.endpoint.request_counter import RequestCounter, credential_of
from local.moto_lock import MOTO_LOCK
from local.moto_patches.foreign_streams import mappings_of_foreign_streams
from local.moto_patches.install import drop_old_data, moto_patched
from local.moto_patches.streams import RETENTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_AMZ_JSON = "application/x-amz-json-1.0"
_process_lock = threading.Lock()


class SerializedApp:
    """Answer requests with a WSGI application, one at a time, and count them.

    Requests that `forward` takes do not go to moto and do not wait.
    """

    def __init__(
        self,
        app: WSGIApplication,
        meter: RequestCounter,
        forward: DynamoDBProxy | None = None,
        faults: Faults | None = None,
        own: Own | None = None,
    ) -> None:
        self._app = app
        self._own = own or Own()
        self._meter = meter
        self._forward = forward
        self._faults = faults or Faults()

    def answer(self, environ: WSGIEnvironment) -> Answer:
        """Return the response to a request. Raises `NoAnswerError` for none."""
        # The body is read before the lock is taken, so that a slow client does not block others. It
        # must be read in any case: it would otherwise be taken for the connection's next request.
        body = _take_body(environ)
        if reason := browser_guard.refusal(environ):
            return Answer("403 Forbidden", [("Content-Type", "text/plain")], f"{reason}\n".encode())
        if answered := self._own.answer(environ, body):
            return answered
        self._faults.check_region(environ.get("HTTP_AUTHORIZATION", ""))
        if invoked := self._own.invocations.answer(environ.get("PATH_INFO", ""), body):
            return Answer("200 OK", list(invoked[0].items()), invoked[1])
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if controlled := self._controlled(environ, body):
            return controlled
        refusal = self._faults.refusal(target, authorization)
        if refusal is not None:
            return Answer("400 Bad Request", [("Content-Type", _AMZ_JSON)], refusal)
        if self._forward is not None and self._forward.takes(target):
            answer = _forwarded(self._forward, environ, body)
        else:
            answer = self._call_moto(environ, body)
        status = int(answer.status.split()[0])
        request = body if answer.request is None else answer.request
        self._meter.record(target, authorization, request, (status, answer.body))
        return answer

    def _controlled(self, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        """Return the response to a call for the running ring, None for other calls."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if self._forward is not None and self._forward.takes(target):
            return None

        def moto() -> tuple[int, bytes]:
            answer = self._call_moto(environ, body)
            return int(answer.status.split()[0]), answer.body

        request = Request(
            environ.get("REQUEST_METHOD", ""),
            environ.get("PATH_INFO", ""),
            target,
            credential_of(environ.get("HTTP_AUTHORIZATION", "")),
            body,
            environ.get("HTTP_USER_AGENT", ""),
        )
        response = self._own.control.answer(request, moto)
        if response is None:
            return None
        return json_answer(response.status, response.headers, response.document)

    def _call_moto(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        handler = direct_dynamodb.handler_of(environ)
        with MOTO_LOCK:
            if handler is None:
                chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
                answer = Answer(status, list(headers), b"".join(chunks))
            else:
                answer = direct_dynamodb.call(handler, environ, body)
            drop_old_data()
        return answer


def _forwarded(forward: DynamoDBProxy, environ: WSGIEnvironment, body: bytes) -> Answer:
    headers = dict(EnvironHeaders(environ).items())
    response = forward.answer(headers, body)
    status = HTTPStatus(response.status)
    return Answer(f"{status.value} {status.phrase}", [*response.headers.items()], response.body)


def _take_body(environ: WSGIEnvironment) -> bytes:
    """Read the request's body, and make it readable again in the environment."""
    stream = environ["wsgi.input"]
    chunked = environ.pop("wsgi.input_terminated", False)
    body: bytes = stream.read() if chunked else stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


class _Dispatcher(werkzeug_app.DomainDispatcherApplication):
    """moto's application, with a cache of the service for each host name."""

    def __init__(self) -> None:
        super().__init__(werkzeug_app.create_backend_app)
        self._found: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._found:
            self._found[host] = super().get_backend_for_host(host)
        return self._found[host]


class _RequestHandler(werkzeug_app.MotoRequestHandler):
    """Request handler with persistent connections.

    werkzeug's own closes the connection after each request, which takes 10 ms.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    """Headers and body leave in one packet, which the client reads at once."""

    def handle_expect_100(self) -> bool:
        """Invite the body at once: the client waits for it."""
        invited = super().handle_expect_100()
        self.wfile.flush()
        return invited

    def run_wsgi(self) -> None:
        app: Any = self.server.app
        try:
            answer = app.answer(self.make_environ())
        except NoAnswerError:
            self.close_connection = True
            return
        except Exception as error:
            logging.getLogger(__name__).debug("%s failed", self.path, exc_info=True)
            # The rest of this request may still arrive, and must not be taken for the next one.
            closing = [("Connection", "close")]
            answer = Answer("500 Internal Server Error", closing, f"{error!r}\n".encode())
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        code, _, reason = answer.status.partition(" ")
        self.send_response(int(code), reason)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a line per request would flood the terminal."""


class LocalServer:
    """moto's AWS services at `endpoint` while the context lasts.

    It listens on `port`. `dynamodb` is the URL of a server that provides DynamoDB instead of moto,
    which trims stream records after `stream_retention` seconds. A process can have one server at a
    time, because moto's state is global. The constructor raises `WrongUrlError`; entering raises
    `ServerError` for a second server or a used port, and `ProxyError` if the DynamoDB server cannot
    be used.
    """

    def __init__(
        self, port: Port = 0, dynamodb: str | None = None, stream_retention: float = RETENTION
    ) -> None:
        self._stream_retention = stream_retention
        self.meter = RequestCounter()
        self.faults = Faults()
        self.own = Own()
        self._forward = None if dynamodb is None else DynamoDBProxy(dynamodb)
        self._listens = port
        self._port = 0
        self._undo = ExitStack()

    @property
    def endpoint(self) -> str:
        """The URL for AWS SDKs and the AWS CLI."""
        return f"http://{LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            if not _process_lock.acquire(blocking=False):
                raise ServerError("A local ring already runs in this process. Close it first.")
            undo.callback(_process_lock.release)
            listener = undo.enter_context(listen(self._listens))
            self._port = listener.getsockname()[1]
            undo.enter_context(moto_patched(self._stream_retention))
            if self._forward is not None:
                undo.enter_context(self._forward)
                undo.enter_context(mappings_of_foreign_streams())
            undo.enter_context(self._serving(listener))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @contextmanager
    def _serving(self, listener: socket.socket) -> Iterator[None]:
        app: Any = SerializedApp(_Dispatcher(), self.meter, self._forward, self.faults, self.own)
        server = make_server(
            LOOPBACK,
            self._port,
            app,
            threaded=True,
            request_handler=_RequestHandler,
            fd=listener.fileno(),
        )
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

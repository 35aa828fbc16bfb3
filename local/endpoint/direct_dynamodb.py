"""Pass requests for DynamoDB to moto's own handlers, without Flask.

Flask's routing, its request and its response take a third of the time of a small request, and a
ring sends hundreds a second. What moto itself does is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from local.endpoint.own_requests import Answer

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from moto.core.responses import BaseResponse

_HANDLERS: dict[str, type[BaseResponse]] = {
    "DynamoDB_20120810": DynamoHandler,
    "DynamoDBStreams_20120810": DynamoDBStreamsHandler,
}
_SCOPE = "/dynamodb/aws4_request"
_DEFAULT_TYPE = "text/html; charset=utf-8"
"""Flask's content type of a response that names none."""
_MOST_LETTERS = 300
"""Length from which moto's errors are cut: some quote the whole item."""


class _Headers(dict[str, str]):
    """A request's headers, found by names in upper or lower case."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


class _Request:
    """The parts of a werkzeug request that moto's handlers of JSON services use."""

    from_wsgi_server = True
    content_encoding = None
    method = "POST"
    path = raw_path = "/"

    def __init__(self, environ: WSGIEnvironment, body: bytes) -> None:
        self.environ = environ
        self.data = body
        self.headers = _Headers(
            {name.lower(): value for name, value in EnvironHeaders(environ).items()}
        )
        self.content_type = environ.get("CONTENT_TYPE", "")
        self.raw_url = f"http://{environ.get('HTTP_HOST', '')}/"
        self.form: dict[str, str] = {}
        self.files: dict[str, Any] = {}
        self.values: dict[str, str] = {}


def handler_of(environ: WSGIEnvironment) -> type[BaseResponse] | None:
    """Return moto's handler of a signed request for DynamoDB or its streams, None for others."""
    plain = (
        environ.get("PATH_INFO") == "/"
        and environ.get("REQUEST_METHOD") == "POST"
        and not environ.get("QUERY_STRING")
        and not environ.get("HTTP_CONTENT_ENCODING")
        and _SCOPE in environ.get("HTTP_AUTHORIZATION", "")
    )
    service = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0]
    return _HANDLERS.get(service) if plain else None


def call(handler_class: type[BaseResponse], environ: WSGIEnvironment, body: bytes) -> Answer:
    """Return a handler's response to a request.

    Where moto fails with an error of Python's, the response is a refusal: SDKs would retry a 500
    several times, and report that error.
    """
    request: Any = _Request(environ, body)
    handler = handler_class()
    try:
        # A raw body is not searched for parameters of a form, which these services do not have.
        handler.setup_class(request, request.raw_url, request.headers, use_raw_body=True)
        status, headers, content = handler.call_action()
    except HTTPException as error:
        status, headers, content = _response(error)
    except Exception as error:
        status, headers, content = _response(_refusal(environ, error))
    headers = {"Content-Type": _DEFAULT_TYPE, **headers}
    text = content if isinstance(content, bytes) else str(content).encode()
    phrase = HTTP_STATUS_CODES.get(int(status), "Unknown").upper()
    values = [(name, str(headers[name])) for name in headers]
    return Answer(f"{status} {phrase}", values, text, getattr(handler, "params", None))


def _response(error: HTTPException) -> tuple[int, dict[str, str], str]:
    return error.code or 500, dict(error.get_headers()), error.get_body()


def _refusal(environ: WSGIEnvironment, error: Exception) -> MockValidationException:
    """Refuse a request that moto fails at; `atomic_requests` has undone what it did to items."""
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return MockValidationException(
        f"The local ring cannot execute this {operation}: moto fails "
        f"({repr(error)[:_MOST_LETTERS]}), though DynamoDB may accept it. No item was changed. "
        "Change the request, or use another server: `automate.py local --dynamodb URL` "
        "(docs/explanation/servers.md)."
    )

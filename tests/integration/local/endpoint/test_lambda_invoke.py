"""Functions that are called at a local ring's endpoint, as Lambda's clients call them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.clients import Clients
from local.endpoint.server import LocalServer
from local.lambda_emulator.worker_process import FunctionError

ARN = "arn:aws:lambda:us-east-1:123456789012:function:double"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    def double(event: Any) -> Any:
        if event["n"] < 0:
            raise FunctionError("ValueError", "too small")
        return {"n": 2 * event["n"]}

    with LocalServer() as server, Clients(server.endpoint) as clients:
        server.own.invocations.offer({ARN: double})
        yield clients.functions("us-east-1")


@pytest.mark.parametrize("name", [ARN, "double"])
def test_a_function_is_called_by_its_arn_or_its_name(client: Any, name: str) -> None:
    answer = client.invoke(FunctionName=name, Payload=b'{"n": 4}')
    assert json.loads(answer["Payload"].read()) == {"n": 8}
    assert "FunctionError" not in answer


def test_what_a_function_raises_is_returned_as_lambda_returns_it(client: Any) -> None:
    answer = client.invoke(FunctionName=ARN, Payload=b'{"n": -1}')
    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"].read())
    assert error == {"errorType": "ValueError", "errorMessage": "too small"}

"""What is taken of botocore though its documentation does not name it: little, and not needed.

An update of Lambda's runtime changes the botocore of all hops at once.
"""

import ast
import asyncio
import builtins
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from handler.aws.api import BotocoreApi
from handler.aws.clients import make_api, make_client
from handler.aws.http_client import HttpApi
from ring.project import PROJECT_ROOT

# https://docs.aws.amazon.com/botocore/latest/reference/ and
# https://docs.aws.amazon.com/boto3/latest/guide/error-handling.html
DOCUMENTED = {
    "botocore.config",
    "botocore.exceptions",
    "botocore.loaders",
    "botocore.session",
}


def undocumented(file: Path) -> set[str]:
    """The parts of botocore that a file imports and no documentation names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names):
                found |= {one.name for one in names}
            case ast.ImportFrom(str(module), names):
                found |= {module if module != "botocore" else f"botocore.{names[0].name}"}
    return {name for name in found if name.partition(".")[0] == "botocore"} - DOCUMENTED


def test_one_file_of_the_handler_imports_what_no_documentation_names() -> None:
    files = {file.name: undocumented(file) for file in (PROJECT_ROOT / "handler").rglob("*.py")}
    assert {name: parts for name, parts in files.items() if parts} == {
        "direct_client.py": {"botocore.httpsession", "botocore.utils"}
    }


@pytest.fixture(params=["gone", "changed", "called otherwise"])
def newer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let botocore be one that lacks what is not documented, or has changed it."""
    if request.param != "called otherwise":
        monkeypatch.delitem(sys.modules, "handler.aws.direct_client", raising=False)
    if request.param == "gone":
        whole: Any = builtins.__import__

        def without(name: str, where: Any = None, *more: Any, **named: Any) -> Any:
            if (where or {}).get("__name__") == "handler.aws.direct_client" and name.startswith(
                "botocore"
            ):
                raise ModuleNotFoundError(f"No module named {name!r}")
            return whole(name, where, *more, **named)

        monkeypatch.setattr(builtins, "__import__", without)
    elif request.param == "changed":
        monkeypatch.delattr("botocore.httpsession.get_cert_path")
    else:
        monkeypatch.setattr("handler.aws.direct_client.get_environ_proxies", lambda *, endpoint: {})
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    yield
    sys.modules.pop("handler.aws.direct_client", None)


def test_with_another_botocore_its_own_client_makes_the_calls_and_the_log_says_so(
    newer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock_aws(), ThreadPoolExecutor(1) as pool:
        make_client("dynamodb", "eu-west-1").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        call = make_api("eu-west-1", pool)
        assert isinstance(call, BotocoreApi)
        item = {"k": {"S": "1"}}
        asyncio.run(call("PutItem", {"TableName": "orders", "Item": item}))
        answer = asyncio.run(call("GetItem", {"TableName": "orders", "Key": item}))
    assert answer["Item"] == item
    (line,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (line["level"], line["event"], line["client"]) == ("WARNING", "http", "boto3")
    assert "Error" in line["error"]


def test_with_this_botocore_the_hops_own_client_makes_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(make_api("eu-west-1", pool), HttpApi)
    assert capsys.readouterr().out == ""

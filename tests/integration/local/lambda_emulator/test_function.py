"""A function run as Lambda runs it: its archive, its environment, its time, its log."""

from __future__ import annotations

import os
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pulumi
import pytest

from local.cloud.resources.archive import zip_archive
from local.lambda_emulator.function import FunctionSpec, LocalFunction
from local.lambda_emulator.worker_process import FunctionError

ENDPOINT = "http://127.0.0.1:9"
Start = Callable[..., LocalFunction]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a function of the given code; it is ended with the test."""
    started: list[LocalFunction] = []

    def begin(code: str, **more: Any) -> LocalFunction:
        texts: dict[str, Any] = {
            "pack/app.py": pulumi.StringAsset(textwrap.dedent(code)),
            "pack/beside.py": pulumi.StringAsset("ANSWER = 42"),
        }
        on_line = more.pop("on_line", lambda _: None)
        spec = FunctionSpec(
            name="hop",
            arn="arn:aws:lambda:eu-west-1:123456789012:function:hop",
            region="eu-west-1",
            handler="pack.app.handle",
            archive=zip_archive(pulumi.AssetArchive(texts)),
            **more,
        )
        started.append(LocalFunction(spec, ENDPOINT, on_line))
        return started[-1]

    yield begin
    for function in started:
        function.close()


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_an_event_goes_in_and_the_answer_comes_out_as_json_holds_them(start: Start) -> None:
    function = start("def handle(event, context): return [event, ('tuple', None, 1.5)]")
    event = {"text": "ä\n", "numbers": [1, 2.5], "none": None}
    assert function.invoke(event) == [event, ["tuple", None, 1.5]]


def test_the_archive_is_what_runs(start: Start) -> None:
    function = start(
        """
        from pack.beside import ANSWER
        def handle(event, context): return [ANSWER, __file__]
        """
    )
    answer, file = function.invoke(None)
    assert answer == 42
    assert file.startswith(tempfile.gettempdir())


def test_this_project_cannot_be_imported_by_a_handler(start: Start) -> None:
    function = start("def handle(event, context): __import__(event)")
    for module in ("local", "mapping"):
        with pytest.raises(FunctionError, match=f"ModuleNotFoundError: .*'{module}'"):
            function.invoke(module)


def test_the_environment_is_the_functions_own_and_lambdas(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "x")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    function = start(
        "import os\ndef handle(event, context): return dict(os.environ)",
        memory=512,
        environment={"RING_SOURCE_REGION": "eu-west-1", "AWS_REGION": "mars-1"},
    )
    environment = function.invoke(None)
    assert environment["RING_SOURCE_REGION"] == "eu-west-1"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "hop"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert environment["_HANDLER"] == "pack.app.handle"
    assert environment["AWS_ENDPOINT_URL"] == ENDPOINT
    assert environment["AWS_ACCOUNT_ID_ENDPOINT_MODE"] == "disabled"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert not {"SECRET_OF_THE_PARENT", "HTTP_PROXY", "HOME"} & environment.keys()


def test_the_context_is_what_lambda_documents(start: Start) -> None:
    function = start(
        """
        def handle(event, context):
            return {name: getattr(context, name) for name in dir(context) if name[0] != "_"
                    and name != "get_remaining_time_in_millis"} | {
                    "remaining": context.get_remaining_time_in_millis()}
        """,
        timeout=30,
        memory=256,
    )
    first, second = function.invoke(None), function.invoke(None)
    assert 29_000 < first.pop("remaining") <= 30_000
    assert first["aws_request_id"] != second["aws_request_id"]
    assert first["function_name"] == "hop"
    assert first["function_version"] == "$LATEST"
    assert first["memory_limit_in_mb"] == "256"
    assert first["invoked_function_arn"] == function.spec.arn
    assert first["log_group_name"] == "/aws/lambda/hop"


def test_the_process_stays_between_invocations(start: Start) -> None:
    function = start(
        """
        count = 0
        def handle(event, context):
            global count
            count += 1
            return count
        """
    )
    assert [function.invoke(None) for _ in range(3)] == [1, 2, 3]


def test_an_error_comes_back_with_its_type_and_message_and_the_process_stays(start: Start) -> None:
    function = start(
        """
        import os
        def handle(event, context):
            if event:
                raise KeyError("no such order")
            return os.getpid()
        """
    )
    process = function.invoke(None)
    with pytest.raises(FunctionError) as caught:
        function.invoke("fail")
    assert (caught.value.kind, caught.value.message) == ("KeyError", "'no such order'")
    assert function.invoke(None) == process
    wait_for(lambda: any("no such order" in line for line in function.log))


def test_an_answer_that_is_no_json_is_an_error(start: Start) -> None:
    function = start("def handle(event, context): return {1, 2}")
    with pytest.raises(FunctionError, match=r"TypeError: .*set is not JSON serializable"):
        function.invoke(None)


def test_a_function_that_takes_too_long_is_killed_and_started_again(start: Start) -> None:
    function = start(
        """
        import os, time
        def handle(event, context):
            print("at work", flush=True)
            time.sleep(event)
            return os.getpid()
        """,
        timeout=1,
    )
    process = function.invoke(0)
    began = time.monotonic()
    with pytest.raises(FunctionError, match=r"Sandbox.Timedout: Task timed out after 1.00 seconds"):
        function.invoke(60)
    assert time.monotonic() - began < 30
    assert not alive(process)
    assert function.invoke(0) != process


def test_a_process_that_ends_is_an_error_and_is_started_again(start: Start) -> None:
    function = start(
        """
        import os
        def handle(event, context):
            if event:
                os._exit(7)
            return "fine"
        """
    )
    with pytest.raises(FunctionError, match=r"Runtime.ExitError: .* status 7"):
        function.invoke("end")
    assert function.invoke(None) == "fine"


def test_a_handler_that_cannot_be_imported_is_an_error_each_time(start: Start) -> None:
    function = start("import there_is_none")
    for _ in range(2):
        with pytest.raises(FunctionError, match=r"ModuleNotFoundError: .*there_is_none"):
            function.invoke(None)
    wait_for(lambda: any("Traceback" in line for line in function.log))


def test_a_handler_that_is_not_there_is_an_error(start: Start) -> None:
    with pytest.raises(FunctionError, match=r"AttributeError: .*handle"):
        start("").invoke(None)


def test_what_is_written_is_the_log_and_never_the_answer(start: Start) -> None:
    lines: list[str] = []
    function = start(
        """
        import logging, sys
        def handle(event, context):
            print('{"answer": "no"}')
            sys.stderr.write("to stderr\\n")
            logging.warning("careful")
            return "yes"
        """,
        on_line=lines.append,
    )
    assert function.invoke(None) == "yes"
    wait_for(lambda: len(lines) == 3)
    assert lines[:2] == ['{"answer": "no"}', "to stderr"]
    assert lines[2].startswith("[WARNING]")
    assert list(function.log) == lines


def test_a_large_event_and_a_large_answer_pass(start: Start) -> None:
    function = start("def handle(event, context): return event * 2")
    assert len(function.invoke("x" * 3_000_000)) == 6_000_000


def test_invocations_wait_for_each_other(start: Start) -> None:
    function = start(
        """
        import time
        def handle(event, context):
            began = time.monotonic()
            time.sleep(0.1)
            return [began, time.monotonic()]
        """
    )
    spans: list[tuple[float, float]] = []
    threads = [
        threading.Thread(target=lambda: spans.append(tuple(function.invoke(None))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans.sort()
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_closing_ends_a_running_invocation_and_leaves_nothing_behind(start: Start) -> None:
    function = start(
        """
        import os, time
        def handle(event, context):
            print(os.getpid(), os.environ["LAMBDA_TASK_ROOT"], flush=True)
            time.sleep(60)
        """,
        timeout=60,
    )
    errors: list[FunctionError] = []

    def invoke() -> None:
        try:
            function.invoke(None)
        except FunctionError as error:
            errors.append(error)

    thread = threading.Thread(target=invoke)
    thread.start()
    wait_for(lambda: bool(function.log))
    process, root = function.log[0].split()
    began = time.monotonic()
    function.close()
    thread.join()
    assert time.monotonic() - began < 30
    assert errors[0].kind == "Runtime.ExitError"
    assert not alive(int(process))
    assert not Path(root).exists()
    with pytest.raises(FunctionError, match="shutting down"):
        function.invoke(None)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True

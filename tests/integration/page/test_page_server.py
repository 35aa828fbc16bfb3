"""The page's server: who gets what, and what is written and run."""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from page import PageError
from page.app import STATIC
from page.guard import load_key
from page.server import PageServer
from tests.support.local_rings import PATIENCE, get, ring_of


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


@pytest.fixture(scope="module")
def page(ring: LocalRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    options = ["--local", ring.endpoint]
    key_file = tmp_path_factory.mktemp("state") / "page-key"
    with PageServer(
        RunningLocalRing(ring.endpoint), options, is_local=True, port=0, key_file=key_file
    ) as server:
        yield server


def key_of(page: PageServer) -> str:
    return page.address.partition("#")[2]


def host_of(page: PageServer) -> str:
    return page.address.removeprefix("http://").partition("/")[0]


def ask(
    page: PageServer, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Send a request as the page does; headers with an empty value are left out."""
    host = host_of(page)
    sent = {"Host": host, "Origin": f"http://{host}", "X-Ring-Key": key_of(page)}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    text = body if isinstance(body, str) else json.dumps(body)
    connection.request(
        method, path, None if body is None else text, {n: v for n, v in sent.items() if v}
    )
    response = connection.getresponse()
    content = response.read()
    connection.close()
    is_json = "json" in response.headers.get("Content-Type", "")
    return (
        response.status,
        json.loads(content) if is_json else content.decode(),
        dict(response.headers),
    )


def write(page: PageServer, member: str, action: str, item: str) -> tuple[int, Any]:
    status, document, _ = ask(
        page, "POST", "/api/item", {"member": member, "action": action, "item": item}
    )
    return status, document


def first_event(page: PageServer, **headers: str) -> tuple[str, dict[str, Any]]:
    """Return the ID and the message of the first event."""
    connection = http.client.HTTPConnection(host_of(page), timeout=PATIENCE)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", f"/api/events?key={key_of(page)}", headers=sent)
    response = connection.getresponse()
    id_, data = (response.readline().decode().strip() for _ in range(2))
    connection.close()
    message: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return id_.removeprefix("id: "), message


def first_message(page: PageServer) -> dict[str, Any]:
    return first_event(page)[1]


def test_the_page_needs_no_key_and_asks_nothing_of_other_servers(page: PageServer) -> None:
    status, text, headers = ask(page, "GET", "/", X_Ring_Key="", Origin="")
    assert status == 200
    assert "<title>dynamodb-ring</title>" in text
    assert headers["content-security-policy"].startswith("default-src 'self'")


def test_all_its_files_together_are_small() -> None:
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 100_000


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X_Ring_Key": ""}, "key is missing"),
        ({"X_Ring_Key": "guessed"}, "key is missing or wrong"),
        ({"Origin": "http://evil.example"}, "takes no requests from http://evil.example"),
        ({"Origin": ""}, "needs the header Origin"),
        ({"Host": "evil.example"}, "is not this server"),
        ({"Host": "[127.0.0.1"}, "is not this server"),
    ],
)
def test_a_change_is_rejected_from_elsewhere_and_without_the_key(
    page: PageServer, ring: LocalRing, headers: dict[str, str], reason: str
) -> None:
    body = {"member": "us-east-1", "action": "put", "item": '{"id": "evil"}'}
    status, document, _ = ask(page, "POST", "/api/item", body, **headers)
    assert status == 403
    assert reason in document["error"]
    assert get(ring, "us-east-1", "evil") is None


def test_data_is_not_shown_without_the_key(page: PageServer) -> None:
    status, document, _ = ask(page, "GET", "/api/events", X_Ring_Key="", Origin="")
    assert status == 403
    assert document.keys() == {"error"}


def test_an_item_is_put_updated_and_deleted_everywhere(page: PageServer, ring: LocalRing) -> None:
    put = '{"id": "one", "n": 1.50, "tags": {"SS": ["a"]}}'
    assert write(page, "us-east-1", "put", put) == (200, {"done": "put id=one at us-east-1"})
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, "eu-west-1", "one") == {
        "id": {"S": "one"},
        "n": {"N": "1.50"},
        "tags": {"M": {"SS": {"L": [{"S": "a"}]}}},
    }
    status, _ = write(page, "eu-west-1", "update", '{"id": {"S": "one"}, "n": {"N": "2"}}')
    assert status == 200
    ring.wait_until_quiet(PATIENCE)
    changed = get(ring, "us-east-1", "one")
    assert changed is not None
    assert changed["n"] == {"N": "2"}
    assert write(page, "us-east-1", "delete", '{"id": "one"}')[0] == 200
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, "eu-west-1", "one") is None


@pytest.mark.parametrize(
    ("member", "action", "item", "reason"),
    [
        ("mars", "put", '{"id": "x"}', "mars: no member has this name. Members: `us-east-1`, "),
        ("us-east-1", "scan", '{"id": "x"}', "is not one of put, update, delete"),
        ("us-east-1", "put", '{"id": 1}', "The item is not valid"),
        ("us-east-1", "put", "id=x", "not JSON"),
        ("us-east-1", "update", '{"id": "x"}', "needs an attribute besides the key"),
    ],
)
def test_a_wrong_item_is_rejected_with_the_reason(
    page: PageServer, member: str, action: str, item: str, reason: str
) -> None:
    status, document = write(page, member, action, item)
    assert status == 400
    assert reason in document["error"]


@pytest.mark.parametrize("body", ["no json", "[]", '{"name": "check"}', '{"name": 1}'])
def test_a_malformed_request_is_rejected(page: PageServer, body: str) -> None:
    status, document, _ = ask(page, "POST", "/api/command", body)
    assert status == 400
    assert "needs: name, arguments, preview" in document["error"]


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("command", "[" * 50_000, "nested too deeply"),
        ("command", '{"name": "end", "arguments": {"id": "\\u0000"}, "preview": false}', "null"),
        ("command", '{"name": "end", "arguments": {"id": "\\ud800"}, "preview": false}', "half a"),
        ("item", '{"member": "us-east-1", "action": "put", "item": "\\ud800"}', "half a character"),
    ],
)
def test_a_request_that_cannot_be_executed_is_rejected_with_the_reason(
    page: PageServer, path: str, body: str, reason: str
) -> None:
    status, document, _ = ask(page, "POST", f"/api/{path}", body)
    assert status == 400
    assert reason in document["error"]


@pytest.mark.long
def test_a_command_runs_and_its_output_is_returned(page: PageServer) -> None:
    body = {"name": "quarantine", "arguments": {}, "preview": False}
    status, document, _ = ask(page, "POST", "/api/command", body)
    assert (status, document["exit"]) == (200, 0)
    assert json.loads(document["output"])["ok"] is True
    assert document["command"].startswith("./automate.py redrive --json --local http")


def test_a_command_that_the_page_does_not_have_is_rejected(page: PageServer) -> None:
    body = {"name": "destroy", "arguments": {}, "preview": False}
    status, document, _ = ask(page, "POST", "/api/command", body)
    assert (status, document) == (400, {"error": "The page has no command destroy."})


def test_a_page_that_is_opened_gets_the_ring_and_what_happened(page: PageServer) -> None:
    write(page, "us-east-1", "put", '{"id": "seen"}')
    message = first_message(page)
    assert [member["name"] for member in message["view"]["members"]] == ["us-east-1", "eu-west-1"]
    assert "put id=seen at us-east-1" in [happening["text"] for happening in message["log"]]


def test_a_page_that_was_away_gets_what_it_missed_and_of_another_server_all(
    page: PageServer,
) -> None:
    write(page, "us-east-1", "put", '{"id": "before"}')
    id_, message = first_event(page)
    number = message["number"]
    write(page, "us-east-1", "put", '{"id": "after"}')
    missed = [one["text"] for one in first_event(page, Last_Event_ID=id_)[1]["log"]]
    assert "put id=after at us-east-1" in missed
    assert "put id=before at us-east-1" not in missed
    # A server that ran before counted from one, too.
    others = first_event(page, Last_Event_ID=f"0-{number}")[1]["log"]
    assert "put id=before at us-east-1" in [one["text"] for one in others]


def test_the_key_is_kept_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "page-key"
    key = load_key(file)
    assert len(key) >= 32
    assert load_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_without_a_key_is_no_key(tmp_path: Path) -> None:
    """What is left of a full disk: with an empty key, the page would be anybody's."""
    file = tmp_path / "page-key"
    file.write_text("\n")
    key = load_key(file)
    assert len(key) >= 32
    assert load_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_that_cannot_be_kept_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(PageError, match="set XDG_STATE_HOME to a folder"):
        load_key(tmp_path / "state" / "page-key")


def test_a_used_port_is_an_error_that_says_what_to_do(page: PageServer, ring: LocalRing) -> None:
    port = int(host_of(page).partition(":")[2])
    again = PageServer(RunningLocalRing(ring.endpoint), [], is_local=True, port=port)
    with pytest.raises(PageError, match=rf":{port}: Address already in use\. Choose another port"):
        again.__enter__()


def test_a_free_port_is_used_where_the_usual_one_is_taken_and_none_was_asked_for(
    page: PageServer, ring: LocalRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(host_of(page).partition(":")[2])
    monkeypatch.setattr("page.server.PORT", taken)
    reached = RunningLocalRing(ring.endpoint)
    with PageServer(reached, [], is_local=True, key_file=tmp_path / "page-key") as other:
        assert host_of(other) != host_of(page)
        assert ask(other, "GET", "/")[0] == 200

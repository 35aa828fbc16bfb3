"""A ring over two partitions on this machine, whose hops write with keys that are changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.endpoint.own_requests import Answer
from local.endpoint.server import SerializedApp, _take_body
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE

HERE, THERE = "us-east-1", "cn-north-1"


class Gate:
    """Lets no request through that is signed with a key that is shut out."""

    def __init__(self) -> None:
        self.shut_out: set[str] = set()
        self.refused = 0

    def admits(self, environ: Any) -> bool:
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        key = authorization.partition("Credential=")[2].partition("/")[0]
        self.refused += key in self.shut_out
        return key not in self.shut_out


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    gate, answer = Gate(), SerializedApp.answer
    said = json.dumps({"__type": "com.amazon.coral.service#UnrecognizedClientException"}).encode()

    def answered(server: SerializedApp, environ: Any) -> Answer:
        if gate.admits(environ):
            return answer(server, environ)
        _take_body(environ)  # or it would be taken for the connection's next request
        return Answer("400 Bad Request", [], said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SerializedApp, "answer", answered)
        yield gate


@pytest.fixture(scope="module")
def ring(gate: Gate) -> Iterator[LocalRing]:
    with LocalRing(StackConfig.read(PROJECT_ROOT, "china"), idle=0.02) as two:
        yield two


def key(text: str) -> dict[str, Any]:
    return {"customer": {"S": text}, "order": {"S": "1"}}


def has(ring: LocalRing, word: str, text: str) -> bool:
    return "Item" in ring.client(word).get_item(TableName="orders", Key=key(text))


def test_what_is_written_in_one_partition_reaches_the_other(ring: LocalRing) -> None:
    ring.client(HERE).put_item(TableName="orders", Item=key("here"))
    ring.client(THERE).put_item(TableName="orders", Item=key("there"))
    ring.wait_until_quiet(PATIENCE)

    assert has(ring, THERE, "here")
    assert has(ring, HERE, "there")
    assert ring.differences() == []


def test_keys_are_changed_without_a_deployment_and_no_record_is_lost(
    ring: LocalRing, gate: Gate
) -> None:
    secret = ring.settings.members[1].writer_secret
    assert secret
    secrets = ring.member(HERE).clients.secrets(HERE)
    old = json.loads(secrets.get_secret_value(SecretId=secret.arn)["SecretString"])["AccessKeyId"]
    client = ring.client(HERE)
    client.put_item(TableName="orders", Item=key("before"))
    ring.wait_until_quiet(PATIENCE)

    with ring.paused():
        for number in range(10):
            client.put_item(TableName="orders", Item=key(f"while {number}"))
        secrets.put_secret_value(SecretId=secret.arn, SecretString=json.dumps(new_keys(ring)))
        gate.shut_out = {old}
    client.put_item(TableName="orders", Item=key("after"))
    ring.wait_until_quiet(PATIENCE)

    assert gate.refused
    assert has(ring, THERE, "while 9")
    assert has(ring, THERE, "after")
    assert ring.differences() == []


def test_keys_that_are_shut_out_before_the_secret_is_changed_only_hold_the_hop_up(
    ring: LocalRing, gate: Gate
) -> None:
    secret = ring.settings.members[1].writer_secret
    assert secret
    secrets = ring.member(HERE).clients.secrets(HERE)
    now = json.loads(secrets.get_secret_value(SecretId=secret.arn)["SecretString"])["AccessKeyId"]
    gate.shut_out.add(now)
    ring.client(HERE).put_item(TableName="orders", Item=key("held up"))
    with pytest.raises(TimeoutError):
        ring.wait_until_quiet(1)
    assert not has(ring, THERE, "held up")

    secrets.put_secret_value(SecretId=secret.arn, SecretString=json.dumps(new_keys(ring)))
    ring.wait_until_quiet(PATIENCE)
    assert has(ring, THERE, "held up")
    assert ring.differences() == []


def new_keys(ring: LocalRing) -> dict[str, str]:
    """Make new keys for the user that the hop writes as, in the place of those that are not used.

    A user has two at most.
    """
    client = ring.member(THERE).clients.iam(THERE)
    (user,) = client.list_users()["Users"]
    name = user["UserName"]
    for unused in client.list_access_keys(UserName=name)["AccessKeyMetadata"][:-1]:
        client.delete_access_key(UserName=name, AccessKeyId=unused["AccessKeyId"])
    made = client.create_access_key(UserName=name)["AccessKey"]
    return {"AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"]}

"""How the local AWS begins and ends."""

from __future__ import annotations

import os
import socket

import boto3
import pytest
from moto import mock_aws
from moto.core.config import default_user_config
from moto.dynamodb.models.table import Table

from local.clients import Clients
from local.endpoint.dynamodb_proxy import ProxyError
from local.endpoint.listener import ServerError, listen
from local.endpoint.server import LocalServer


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"127.0.0.1:{port}: .* Choose another port"):
            LocalServer(port).__enter__()
    with LocalServer(port) as server:
        assert server.endpoint == f"http://127.0.0.1:{port}"


def test_a_request_to_a_port_that_was_taken_before_is_answered_once_it_runs() -> None:
    with listen(0) as place:
        port = place.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=30) as early:
            request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            early.sendall(request.encode())
            with LocalServer(place) as server:
                assert server.endpoint == f"http://127.0.0.1:{port}"
                assert early.recv(64).startswith(b"HTTP/1.1 200")


def test_it_begins_empty_and_leaves_nothing_behind() -> None:
    environment, config = dict(os.environ), dict(default_user_config)
    put = Table.put_item
    for _ in range(2):
        with LocalServer() as server, Clients(server.endpoint) as clients:
            assert clients.s3("us-east-1").list_buckets()["Buckets"] == []
            clients.s3("us-east-1").create_bucket(Bucket="things")
    assert dict(os.environ) == environment
    assert dict(default_user_config) == config
    assert Table.put_item is put


def test_what_others_left_in_moto_is_not_there() -> None:
    with mock_aws():
        boto3.client("s3", "us-east-1").create_bucket(Bucket="left")
    with LocalServer() as server, Clients(server.endpoint) as clients:
        assert clients.s3("us-east-1").list_buckets()["Buckets"] == []


def test_it_ends_when_something_fails_inside() -> None:
    with pytest.raises(ZeroDivisionError), LocalServer() as server:
        raise ZeroDivisionError
    port = int(server.endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_where_nothing_listens_it_is_reported_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ProxyError, match=r"does not answer.*docs/explanation/servers\.md"):
        LocalServer(dynamodb=f"http://127.0.0.1:{port}").__enter__()
    with LocalServer():  # which would refuse to start beside another
        pass

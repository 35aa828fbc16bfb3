"""What usually goes wrong in an account's first hour: each ends well, if need be by another `up`.

What the provider here retries, the real one does:
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/function.go
(`retryFunctionOp`) and event_source_mapping.go (`retryEventSourceMapping`,
`waitEventSourceMappingCreated`) beside it. So these tests show that the ring's program leaves room
for that, not that the real provider does it. All other errors are raised once the SDK has given up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from click.testing import Result

from local.cloud.resources import resource_type
from operate.deployment.stack import RingStack
from ring.arn import Arn
from tests.engine.commands import run
from tests.engine.stacks import Engine

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("users_environment")]

HERE, THERE = "us-east-1", "eu-west-1"
RING = {"tables": 4, "functions": 2, "mappings": 2, "groups": 2, "buckets": 2, "roles": 2}
"""What a ring of two members has: with one thing twice, or none of it, it is another number."""
INVALID = "InvalidParameterValueException"
UNASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
NO_RIGHTS = (
    "Cannot access stream. Please ensure the role can perform the GetRecords, GetShardIterator, "
    "DescribeStream, and ListStreams Actions on your stream in IAM."
)
REFUSED = {
    "a disabled region, by DynamoDB": (
        ("dynamodb", "create_table", "UnrecognizedClientException"),
        "The security token included in the request is invalid.",
        "or the region is not enabled in the account",
    ),
    "a disabled region, by IAM's protocol": (
        ("iam", "create_role", "InvalidClientTokenId"),
        "The security token included in the request is invalid.",
        "or the region is not enabled in the account",
    ),
    "a session that ends": (
        ("s3", "create_bucket", "ExpiredToken"),
        "The provided token has expired.",
        "Log in again (`aws sso login`",
    ),
    "a bucket's name that is taken": (
        ("s3", "create_bucket", "BucketAlreadyExists"),
        "The requested bucket name is not available.",
        "The next attempt generates another",
    ),
    "a log group that is there": (
        ("logs", "create_log_group", "ResourceAlreadyExistsException"),
        "The specified log group already exists",
        "The next attempt generates another",
    ),
    "a role that IAM does not know yet": (
        ("iam", "put_role_policy", "NoSuchEntity"),
        "The role with name ring cannot be found.",
        "IAM takes some seconds",
    ),
    "throttled": (
        ("functions", "create_function", "TooManyRequestsException"),
        "Rate exceeded",
        "Wait a minute.",
    ),
}


def error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@contextmanager
def failing(client: Any, operation: str, reason: ClientError, times: int) -> Iterator[Counter[str]]:
    """Let AWS refuse an operation so many times. The provider has the same client."""
    call, calls = getattr(client, operation), Counter[str]()

    def refuse(**request: Any) -> Any:
        calls[operation] += 1
        if calls[operation] <= times:
            raise reason
        return call(**request)

    with patch.object(client, operation, refuse):
        yield calls


def up(table: str, *options: str) -> Result:
    members = ("--member", HERE, "--member", THERE)
    return run("up", "--table", table, "--key", "id:S", *members, "--yes", *options)


def found(engine: Engine) -> Counter[str]:
    """Count what is in AWS, in both regions."""
    count = Counter[str]()
    for region in (HERE, THERE):
        clients = engine.place(region).clients
        functions: Any = clients.functions(region)
        count["tables"] += len(clients.dynamodb(region).list_tables()["TableNames"])
        count["functions"] += len(functions.list_functions()["Functions"])
        count["mappings"] += len(functions.list_event_source_mappings()["EventSourceMappings"])
        count["groups"] += len(clients.logs(region).describe_log_groups()["logGroups"])
    clients = engine.place(HERE).clients
    count["buckets"] = len(clients.s3(HERE).list_buckets()["Buckets"])
    count["roles"] = len(clients.iam(HERE).list_roles()["Roles"])
    return count


@pytest.mark.parametrize("what", REFUSED)
def test_an_error_is_reported_with_what_to_do_and_up_continues(engine: Engine, what: str) -> None:
    before, table = found(engine), f"refused-{[*REFUSED].index(what)}"
    (service, operation, code), message, advice = REFUSED[what]
    client = getattr(engine.place(THERE).clients, service)(THERE)
    with failing(client, operation, error(code, message, operation), times=100) as calls:
        result = up(table)
    assert calls[operation]
    assert result.exit_code == 1
    assert code in result.output
    assert message in result.output
    assert result.output.count(advice) == 1
    assert "`automate.py up` again continues where this stopped." in result.output
    again = up(table)
    assert again.exit_code == 0, again.output
    assert found(engine) - before == RING
    assert up(table, "--expect-no-changes").exit_code == 0


def test_a_role_that_is_never_ready_is_reported_after_the_wait(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_type, "_TIMEOUT", 0.1)
    functions = engine.place(THERE).clients.functions(THERE)
    reason = error(INVALID, UNASSUMABLE, "CreateFunction")
    with failing(functions, "create_function", reason, times=1000) as calls:
        result = up("orders")
    assert result.exit_code == 1
    assert calls["create_function"] > 1
    assert UNASSUMABLE in result.output
    assert "IAM takes some seconds" in result.output


def test_up_waits_for_roles_and_mappings(engine: Engine) -> None:
    before = found(engine)
    functions: Any = engine.place(THERE).clients.functions(THERE)
    get, looks = functions.get_event_source_mapping, Counter[str]()

    def not_ready(**request: Any) -> Any:  # a stream that takes its time
        looks["of the mapping"] += 1
        response = get(**request)
        return {**response, "State": "Creating"} if looks["of the mapping"] < 5 else response

    unready = error(INVALID, UNASSUMABLE, "CreateFunction")
    unseen = error(INVALID, NO_RIGHTS, "CreateEventSourceMapping")
    with (
        failing(functions, "create_function", unready, times=3) as functions_made,
        failing(functions, "create_event_source_mapping", unseen, times=3) as mappings_made,
        patch.object(functions, "get_event_source_mapping", not_ready),
    ):
        result = up("waiting")
    assert result.exit_code == 0, result.output
    assert functions_made["create_function"] == 4
    assert mappings_made["create_event_source_mapping"] == 4
    assert looks["of the mapping"] >= 5
    assert found(engine) - before == RING
    assert up("waiting", "--expect-no-changes").exit_code == 0


def test_no_concurrency_is_reserved_and_no_log_group_is_one_that_lambda_makes(
    engine: Engine,
) -> None:
    """An account's quota may be 10, all of which Lambda keeps unreserved."""
    for hop in RingStack(None, "waiting").deployed().hops:
        region = Arn.parse(str(hop.function)).region
        functions: Any = engine.place(region).clients.functions(region)
        function = functions.get_function(FunctionName=str(hop.function))
        assert "Concurrency" not in function
        group = function["Configuration"]["LoggingConfig"]["LogGroup"]
        assert not group.startswith("/aws/lambda/")

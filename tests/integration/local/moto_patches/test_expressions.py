"""Expressions, evaluated as DynamoDB evaluates them, by its documentation.

A server that is known to do otherwise must fail its test; one that does so no more makes itself
known.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.compared_servers import SERVERS, Server, on_servers, server_url

DIFFERENT = {
    "an attribute's value is copied": set(),
    "a list in itself": set(),
    "sums of numbers with exponents": set(),
    "a sum of too many digits": {"MiniStack"},
}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with server_url(request.param) as url:
        yield url


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    with Server(url) as running:
        yield running


def on_all(what: str) -> pytest.MarkDecorator:
    return on_servers(what, DIFFERENT[what])


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
@on_all("an attribute's value is copied")
@pytest.mark.parametrize(
    ("first", "then", "x"),
    [
        ("SET y = x", "SET y.q = :n", {"M": {}}),
        ("SET y = if_not_exists(x, :n)", "SET y.q = :n", {"M": {}}),
        ("SET y = x", "ADD y :s", {"SS": ["a"]}),
        ("SET y = list_append(:e, x)", "SET y[0].q = :n", {"L": [{"M": {}}]}),
        ("SET y = x, x[0] = :n", "", {"L": [{"N": "0"}]}),
    ],
    ids=["a map", "if_not_exists", "a set", "list_append", "in one request"],
)
def test_a_change_of_a_copied_value_leaves_the_original(
    server: Server, first: str, then: str, x: Any
) -> None:
    values = {"n": {"N": "1"}, "s": {"SS": ["b"]}, "e": {"L": []}}
    server.put(x=x)
    for expression in filter(None, (first, then)):
        used = {name: values[name] for name in values if f":{name}" in expression}
        updated = server.update(expression, **used)
    if then:
        assert updated["x"] == x
        assert updated["y"] != x
    else:
        assert updated == {"x": {"L": [{"N": "1"}]}, "y": x}


@on_all("a list in itself")
def test_a_list_can_become_its_own_element(server: Server) -> None:
    server.put(x={"L": [{"N": "1"}, {"N": "2"}]})
    inner = {"L": [{"N": "1"}, {"N": "2"}]}
    assert server.update("SET x[0] = x") == {"x": {"L": [inner, {"N": "2"}]}}


@on_all("sums of numbers with exponents")
@pytest.mark.parametrize("expression", ["SET v = v + :v", "ADD v :v"])
def test_numbers_with_exponents_are_added(server: Server, expression: str) -> None:
    server.put(v={"N": "1e2"})
    assert server.update(expression, v={"N": "1E1"}) == {"v": {"N": "110"}}
    assert server.update("SET v = v - :v", v={"N": "1e-2"}) == {"v": {"N": "109.99"}}


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
@on_all("a sum of too many digits")
def test_a_sum_has_38_digits_or_is_refused(server: Server) -> None:
    digits = "12345678901234567890123456789012345678"
    server.put(v={"N": digits})
    for expression in ("SET v = v + :v", "ADD v :v"):
        with pytest.raises(ClientError, match="ValidationException"):
            server.update(expression, v={"N": "0.5"})
    assert server.update("SET v = v - :v", v={"N": "1"}) == {"v": {"N": f"{digits[:-1]}7"}}

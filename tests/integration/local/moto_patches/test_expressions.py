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
    "values of two types": set(),
    "white space": set(),
    "a number of a set written otherwise": {"MiniStack"},
    "the size of a number": {"MiniStack"},
    "a DELETE of another value": set(),
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


ITEM: Any = {
    "t": {"BOOL": True},
    "n": {"N": "1"},
    "z": {"NULL": True},
    "l": {"L": [{"N": "1"}]},
    "m": {"M": {"q": {"N": "1"}}},
    "ns": {"NS": ["1", "2"]},
    "s": {"S": "abc"},
    "b": {"B": b"\x01\x02"},
}
TRUE: Any = {"BOOL": True}
ONE: Any = {"N": "1"}


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
@on_all("values of two types")
@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ("t = :v", {"v": ONE}, False),
        ("t <> :v", {"v": ONE}, True),
        ("t IN (:v)", {"v": ONE}, False),
        ("l = :v", {"v": {"L": [TRUE]}}, False),
        ("m = :v", {"v": {"M": {"q": TRUE}}}, False),
        ("contains(l, :v)", {"v": TRUE}, False),
        ("contains(l, :v)", {"v": {"N": "1.0"}}, True),
        ("contains(ns, :v)", {"v": {"N": "2"}}, True),
        ("contains(s, :v)", {"v": {"S": "bc"}}, True),
        ("n = :v", {"v": {"N": "1.00"}}, True),
        ("ns = :v", {"v": {"NS": ["2", "1"]}}, True),
        ("z = :v", {"v": {"NULL": True}}, True),
        ("absent = :v", {"v": {"NULL": True}}, False),
        ("absent <> :v", {"v": {"NULL": True}}, True),
        ("absent IN (:v)", {"v": {"NULL": True}}, False),
        ("contains(absent, :v)", {"v": ONE}, False),
        ("t < :v", {"v": {"N": "2"}}, False),
        ("n BETWEEN :v AND :w", {"v": {"S": "0"}, "w": {"S": "2"}}, False),
        ("s BETWEEN :v AND :w", {"v": {"S": "a"}, "w": {"S": "b"}}, True),
        ("absent BETWEEN :v AND :w", {"v": {"S": "a"}, "w": {"S": "b"}}, False),
        ("b > :v", {"v": {"B": b"\x01"}}, True),
        ("size(absent) < :v", {"v": {"N": "9"}}, False),
        ("size(b) = :v", {"v": {"N": "2"}}, True),
        ("size(m) BETWEEN :v AND :v", {"v": ONE}, True),
    ],
    ids=str,
)
def test_values_are_compared_with_their_types(
    server: Server, condition: str, values: dict[str, Any], holds: bool
) -> None:
    server.put(**ITEM)
    assert server.holds(condition, **values) is holds


@on_all("a number of a set written otherwise")
def test_a_number_is_found_in_a_set_however_it_is_written(server: Server) -> None:
    server.put(**ITEM)
    assert server.holds("contains(ns, :v)", v={"N": "2.0"})


@on_all("the size of a number")
@pytest.mark.parametrize("name", ["n", "t", "z"])
def test_a_comparison_with_the_size_of_what_has_none_is_false(server: Server, name: str) -> None:
    server.put(**ITEM)
    assert not server.holds(f"size({name}) < :v", v={"N": "9"})


@on_all("a DELETE of another value")
def test_a_delete_that_names_a_value_of_another_type_deletes_nothing(server: Server) -> None:
    server.put(l={"L": [ONE]})
    statement = f'DELETE FROM "{server.name}" WHERE "k" = ? AND "l" = ?'
    response = server.say(statement, {"S": "1"}, {"L": [TRUE]})
    assert response["Error"]["Code"] == "ConditionalCheckFailed"
    assert "Error" not in server.say(statement, {"S": "1"}, {"L": [{"N": "1.0"}]})


@on_all("white space")
def test_an_expression_may_have_lines_and_tabs(server: Server) -> None:
    server.put(**ITEM)
    assert server.holds("\n\tn = :v\nAND\tattribute_exists(\n\ts\n)\n", v=ONE)
    assert server.update("\nSET\tn = n\n+ :v,\n\tx = :v\nREMOVE\ns\n", v=ONE)["x"] == ONE
    found = server.tables.query(
        TableName=server.name,
        KeyConditionExpression="\nk\t=\n:k\n",
        ExpressionAttributeValues={":k": {"S": "1"}},
        ProjectionExpression="\nn,\n\tx\n",
    )
    assert found["Items"] == [{"n": {"N": "2"}, "x": ONE}]

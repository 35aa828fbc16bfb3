"""PartiQL in a local ring: done, or refused with the reason; never a fault, never by halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import Clients
from local.endpoint.server import LocalServer
from local.moto_patches.partiql.writes import insert

REGION = "eu-west-1"
Statement = dict[str, Any]


@pytest.fixture
def table(server: LocalServer) -> Iterator[Any]:
    """A client, for a table `kept` with the item `a`."""
    with Clients(server.endpoint) as clients:
        client = clients.dynamodb(REGION)
        client.create_table(
            TableName="kept",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.put_item(TableName="kept", Item={"id": {"S": "a"}, "v": {"N": "1"}})
        yield client
        client.delete_table(TableName="kept")


def say(text: str, *parameters: Any) -> Statement:
    return {"Statement": text} | ({"Parameters": list(parameters)} if parameters else {})


REFUSED = [
    say("""SELECT * FROM "kept" WHERE id <> 'a'"""),
    say('SELECT id FROM "kept" WHERE id IN (?, ?)', {"S": "a"}, {"S": "b"}),
    say("""UPDATE "kept" SET v=2 WHERE id='a'"""),
    say('UPDATE "kept" SET v=v+1 WHERE id=?', {"S": "a"}),
    say('UPDATE "kept" SET v=? WHERE id=? RETURNING ALL NEW *', {"N": "3"}, {"S": "a"}),
    say("""INSERT INTO "kept" VALUE {'id': ?, 'v': [1]}""", {"S": "b"}),
    say('DELETE FROM "kept" WHERE id = ? AND v > ?', {"S": "a"}, {"N": "0"}),
    say('EXISTS(SELECT * FROM "kept" WHERE id=?)', {"S": "a"}),
    say("no statement at all"),
    say('SELECT * FROM "kept" WHERE v BETWEEN ? AND ?', {"N": "0"}, {"N": "9"}),
    say('SELECT * FROM "kept" WHERE NOT id = ?', {"S": "a"}),
    say('SELECT COUNT(*) FROM "kept"'),
    say('SELECT v.w FROM "kept" WHERE id = ?', {"S": "a"}),
    say('UPDATE "kept" SET v=?', {"N": "3"}),
    say('UPDATE "kept" SET v.w=? WHERE id=?', {"N": "3"}, {"S": "a"}),
    say('UPDATE "kept" SET v=?, v=? WHERE id=?', {"N": "3"}, {"N": "4"}, {"S": "a"}),
    say('DELETE FROM "kept"'),
]
PUT_B = say("""INSERT INTO "kept" VALUE {'id': 'b'}""")


def items(table: Any) -> set[str]:
    return {f"{one['id']['S']} {one.get('v')}" for one in table.scan(TableName="kept")["Items"]}


@pytest.mark.parametrize("statement", REFUSED, ids=lambda one: one["Statement"])
def test_what_moto_cannot_do_is_refused_with_the_reason(table: Any, statement: Statement) -> None:
    asks: tuple[Callable[[], Any], ...] = (
        lambda: table.execute_statement(**statement),
        lambda: table.execute_transaction(TransactStatements=[statement]),
    )
    for ask in asks:
        with pytest.raises(
            ClientError, match="The local ring cannot execute this PartiQL"
        ) as refused:
            ask()
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert items(table) == {"a {'N': '1'}"}


def test_a_refused_statement_of_a_transaction_leaves_nothing_of_the_others(table: Any) -> None:
    with pytest.raises(ClientError, match="The local ring cannot execute this PartiQL"):
        table.execute_transaction(TransactStatements=[PUT_B, REFUSED[2]])
    assert items(table) == {"a {'N': '1'}"}


def test_of_a_batch_each_statement_is_done_or_refused_by_itself(table: Any) -> None:
    found = say("SELECT * FROM \"kept\" WHERE id = 'a'")
    other = say("SELECT * FROM \"kept\" WHERE id = 'b' AND v > 1")  # b has no v
    answers = table.batch_execute_statement(Statements=[PUT_B, found, other])["Responses"]
    assert "Error" not in answers[0]
    assert answers[1]["Item"] == {"id": {"S": "a"}, "v": {"N": "1"}}
    assert "The local ring cannot execute this PartiQL" in answers[2]["Error"]["Message"]
    assert items(table) == {"a {'N': '1'}", "b None"}


def test_a_batch_with_a_statement_that_nobody_understands_is_refused_whole(table: Any) -> None:
    with pytest.raises(ClientError, match="The local ring cannot execute this PartiQL"):
        table.batch_execute_statement(Statements=[PUT_B, REFUSED[2]])
    assert items(table) == {"a {'N': '1'}"}


def test_what_moto_can_do_is_done(table: Any) -> None:
    update = say('UPDATE "kept" SET v=? WHERE id=?', {"N": "3"}, {"S": "a"})
    table.execute_transaction(TransactStatements=[update, PUT_B])
    assert items(table) == {"a {'N': '3'}", "b None"}
    found = table.execute_statement(**say('SELECT * FROM "kept" WHERE id = ?', {"S": "b"}))["Items"]
    assert found == [{"id": {"S": "b"}}]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        table.execute_statement(**say('SELECT * FROM "no-such-table"'))


@pytest.mark.parametrize(
    "statement",
    [
        say("""SELECT * FROM "kept" WHERE id='a' AND v=1"""),
        say('select "id", v from kept where "v" = ?', {"N": "1.0"}),
        say('SELECT * FROM "kept"'),
    ],
    ids=lambda one: one["Statement"],
)
def test_a_select_finds_values_as_numbers_and_texts(table: Any, statement: Statement) -> None:
    found = table.execute_statement(**statement)["Items"]
    assert found == [{"id": {"S": "a"}, "v": {"N": "1"}}]


def test_a_select_finds_no_value_of_another_type_or_absent(table: Any) -> None:
    for condition in ("v = '1'", "v = 2", "none = 1", "id = 'it''s'"):
        found = table.execute_statement(**say(f'SELECT * FROM "kept" WHERE {condition}'))
        assert found["Items"] == []


def test_a_literal_insert_replaces_no_item(table: Any) -> None:
    with pytest.raises(ClientError, match="DuplicateItemException"):
        table.execute_statement(**say("""INSERT INTO "kept" VALUE {'id': 'a', 'v': 2}"""))
    assert items(table) == {"a {'N': '1'}"}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (say('UPDATE "kept" SET id=? WHERE id=?', {"S": "b"}, {"S": "a"}), "ValidationException"),
        (say('UPDATE "kept" SET v=? WHERE v=?', {"N": "3"}, {"N": "1"}), "ValidationException"),
        (say('UPDATE "kept" SET v=? WHERE id=?', {"N": "3"}), "ValidationException"),
        (
            say('UPDATE "kept" SET v=? WHERE id=?', {"N": "3"}, {"S": "none"}),
            "ConditionalCheckFailedException",
        ),
    ],
    ids=["of a key", "without its key", "too few values", "of no item"],
)
def test_an_update_that_is_not_valid_changes_nothing(
    table: Any, statement: Statement, error: str
) -> None:
    with pytest.raises(ClientError, match=error):
        table.execute_statement(**statement)
    assert items(table) == {"a {'N': '1'}"}


def test_a_select_in_a_batch_has_the_key(table: Any) -> None:
    select = say('SELECT * FROM "kept" WHERE v = 1')
    (answer,) = table.batch_execute_statement(Statements=[select])["Responses"]
    assert answer["Error"]["Code"] == "ValidationError"


INSERT_B = say("""INSERT INTO "kept" VALUE {'id': ?, 'it''s': ?}""", {"S": "b"}, {"N": "7"})
DELETE_A = 'DELETE FROM "kept" WHERE "id" = ? AND "v" = ?'


def test_an_insert_creates_an_item_and_never_replaces_one(table: Any) -> None:
    table.execute_statement(**INSERT_B)
    (found,) = [one for one in table.scan(TableName="kept")["Items"] if one["id"]["S"] == "b"]
    assert found == {"id": {"S": "b"}, "it's": {"N": "7"}}
    with pytest.raises(ClientError, match="DuplicateItemException"):
        table.execute_statement(**INSERT_B)
    (answer,) = table.batch_execute_statement(Statements=[INSERT_B])["Responses"]
    assert answer["Error"]["Code"] == "DuplicateItem"


def test_a_delete_deletes_what_is_as_it_says_and_nothing_else(table: Any) -> None:
    others = [say(DELETE_A, {"S": "a"}, {"N": "2"}), say(DELETE_A, {"S": "none"}, {"N": "1"})]
    answers = table.batch_execute_statement(Statements=others)["Responses"]
    assert answers[0]["Error"]["Code"] == "ConditionalCheckFailed"
    assert "Error" not in answers[1]
    assert items(table) == {"a {'N': '1'}"}
    table.execute_statement(**say(DELETE_A, {"S": "a"}, {"N": "1.0"}))
    assert items(table) == set()


@pytest.mark.parametrize(
    "statement",
    [
        say("""INSERT INTO "kept" VALUE {'id': ?}"""),
        say("""INSERT INTO "kept" VALUE {'id': ?}""", {"S": ""}),
        say("""INSERT INTO "kept" VALUE {'id': ?}""", {"N": "1"}),
        say("""INSERT INTO "kept" VALUE {'v': ?}""", {"N": "1"}),
        say('DELETE FROM "kept" WHERE "v" = ?', {"N": "1"}),
    ],
    ids=["too few values", "an empty key", "a number as key", "no key", "a delete without key"],
)
def test_a_write_that_is_not_valid_changes_nothing(table: Any, statement: Statement) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        table.execute_statement(**statement)
    (answer,) = table.batch_execute_statement(Statements=[statement])["Responses"]
    assert answer["Error"]["Code"] == "ValidationError"
    assert items(table) == {"a {'N': '1'}"}


def test_a_batch_of_more_statements_than_dynamodb_takes_is_refused(table: Any) -> None:
    with pytest.raises(ClientError, match="between 1 and 25"):
        table.batch_execute_statement(Statements=[INSERT_B] * 26)
    assert items(table) == {"a {'N': '1'}"}


def cancelled(table: Any, *statements: Statement) -> list[Any]:
    """Why each statement of a transaction cancels it."""
    with pytest.raises(ClientError, match="TransactionCanceledException") as error:
        table.execute_transaction(TransactStatements=list(statements))
    response: Any = error.value.response
    reasons: list[Any] = response["CancellationReasons"]
    return reasons


def test_a_transaction_is_done_whole_or_says_of_each_statement_why_not(table: Any) -> None:
    update = say('UPDATE "kept" SET v=? WHERE id=?', {"N": "3"}, {"S": "a"})
    absent = say('UPDATE "kept" SET v=? WHERE id=?', {"N": "3"}, {"S": "none"})
    reasons = cancelled(table, INSERT_B, update, absent)
    assert [one["Code"] for one in reasons] == ["None", "None", "ConditionalCheckFailed"]
    assert items(table) == {"a {'N': '1'}"}
    table.execute_transaction(TransactStatements=[INSERT_B, update])
    assert items(table) == {"a {'N': '3'}", "b None"}
    (duplicate,) = cancelled(table, INSERT_B)
    assert duplicate["Code"] == "DuplicateItem"


def test_a_cancelled_transaction_returns_the_item_where_one_asks(table: Any) -> None:
    delete = say(DELETE_A, {"S": "a"}, {"N": "2"})
    asking = delete | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    (silent,), (reason,) = cancelled(table, delete), cancelled(table, asking)
    assert "Item" not in silent
    assert reason["Item"] == {"id": {"S": "a"}, "v": {"N": "1"}}


SELECT_A = say("SELECT * FROM \"kept\" WHERE id = 'a'")


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([PUT_B, INSERT_B], "multiple operations on one item"),
        ([SELECT_A, PUT_B], "read, or statements that write"),
        ([say('SELECT * FROM "kept"')], "within ExecuteTransaction must specify the primary key"),
    ],
    ids=["an item twice", "read and write", "without key"],
)
def test_what_no_transaction_may_be_is_refused(
    table: Any, statements: list[Statement], error: str
) -> None:
    with pytest.raises(ClientError, match=error) as refused:
        table.execute_transaction(TransactStatements=statements)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert items(table) == {"a {'N': '1'}"}


def test_a_quote_in_a_name_is_written_twice(table: Any) -> None:
    names = """'id': 'b', 'it''s': 'it''s', 'a"b': 1"""
    table.execute_statement(**say(f'INSERT INTO "kept" VALUE {{{names}}}'))
    for condition, *values in (
        (""" "it's" = 'it''s' AND "a""b" = 1 """,),
        (""" "a""b" = ? """, {"N": "1"}),
    ):
        select = say(f'SELECT id FROM "kept" WHERE {condition}', *values)
        assert table.execute_statement(**select)["Items"] == [{"id": {"S": "b"}}]


def test_a_statement_of_a_batch_that_moto_fails_at_leaves_nothing(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert_and_fail(*arguments: Any) -> None:
        insert(*arguments)
        raise RuntimeError("x")

    monkeypatch.setattr("local.moto_patches.partiql.forms.insert", insert_and_fail)
    (answer,) = table.batch_execute_statement(Statements=[INSERT_B])["Responses"]
    assert "moto fails (RuntimeError('x'))" in answer["Error"]["Message"]
    assert items(table) == {"a {'N': '1'}"}

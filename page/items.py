"""Writes of an item at a member of a local ring, from the page's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.data.dynamodb_json import BadItemError
from local.data.items import Item, Schema, parse_line
from local.live.recent import key_text
from operate.aws.answers import NO_ANSWER
from operate.deployed import member_index

if TYPE_CHECKING:
    from operate.rings import DeployedRing

_ACTIONS = ("put", "update", "delete")


class BadWriteError(Exception):
    """The write was not made. Says why."""


def write(ring: DeployedRing, member_name: str, action: str, text: str) -> str:
    """Put, update or delete an item, given as JSON text; return what was done, in words.

    An update sets the attributes of the item that are no key; a delete needs the key alone. Raises
    `BadWriteError` or `OperateError`.
    """
    if action not in _ACTIONS:
        raise BadWriteError(f"{action!r} is not one of {', '.join(_ACTIONS)}.")
    deployed = ring.deployed()
    names = [member.name for member in deployed.members]
    member = deployed.members[member_index(names, member_name)]
    client = ring.clients().get(member.credentials, member.region, "dynamodb", brief=True)
    try:
        schema = Schema.of(client.describe_table(TableName=member.table)["Table"])
        item = parse_line(text.encode(), schema)
        key = {name: item[name] for name in schema.keys}
        _send(client, member.table, action, item, key)
    except BadItemError as error:
        raise BadWriteError(f"The item is not valid: {error}.") from error
    except NO_ANSWER as error:
        raise BadWriteError(f"{member_name} does not answer. {error}") from error
    except (ClientError, BotoCoreError) as error:
        raise BadWriteError(f"{member_name} did not take it: {error}") from error
    return f"{action} {key_text(key)} at {member_name}"


def _send(client: Any, table: str, action: str, item: Item, key: Item) -> None:
    if action == "put":
        client.put_item(TableName=table, Item=item)
    elif action == "delete":
        client.delete_item(TableName=table, Key=key)
    else:
        changed = {name: value for name, value in item.items() if name not in key}
        if not changed:
            raise BadWriteError("An update needs an attribute besides the key.")
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in range(len(changed))),
            ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(changed)},
            ExpressionAttributeValues={f":{n}": value for n, value in enumerate(changed.values())},
        )

"""Rules between settings of the table. Each rule yields the problems that it finds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ring.settings.errors import SettingProblem
from ring.settings.sections import GlobalIndex, LocalIndex, TableSettings
from ring.settings.types import HEARTBEAT_ATTRIBUTE

_MAX_PROJECTED = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html"""


def check_table(table: TableSettings) -> Iterator[SettingProblem]:
    """Yield all problems between settings of the table, as opposed to those in a single one."""
    for rule in _RULES:
        yield from rule(table)


def check_heartbeat_attribute(table: TableSettings) -> Iterator[SettingProblem]:
    """Yield where a table with heartbeats uses their attribute: as a key, or as the expiry.

    A key would have another value at each heartbeat, and so each would be another item, or one that
    DynamoDB rejects for its type. An expiry would be over at once.
    """
    names = {f"{path}.name": key.name for path, key in table.all_keys()}
    if table.ttl and table.ttl.enabled:
        names["table.ttl.attribute"] = table.ttl.attribute
    for path, name in names.items():
        if name == HEARTBEAT_ATTRIBUTE:
            yield SettingProblem(
                path,
                name,
                f"each heartbeat writes its time to `{HEARTBEAT_ATTRIBUTE}`, and heartbeats are on",
                "Choose another attribute, or set heartbeat.enabled to false.",
            )


def _one_type_each(table: TableSettings) -> Iterator[SettingProblem]:
    first: dict[str, tuple[str, str]] = {}
    for path, key in table.all_keys():
        first_type, first_path = first.setdefault(key.name, (key.type, path))
        if key.type != first_type:
            yield SettingProblem(
                f"{path}.type",
                key.type,
                f"`{key.name}` is {first_type} in {first_path}, and an attribute has one type",
                f"Write {first_type}, or use another attribute.",
            )


def _two_keys_differ(table: TableSettings) -> Iterator[SettingProblem]:
    partitions = {"table": table.partition_key}
    sorts = {"table": table.sort_key}
    for number, global_index in enumerate(table.global_indexes):
        path = f"table.global_indexes[{number}]"
        partitions[path], sorts[path] = global_index.partition_key, global_index.sort_key
    for number, local_index in enumerate(table.local_indexes):
        path = f"table.local_indexes[{number}]"
        partitions[path], sorts[path] = table.partition_key, local_index.sort_key
    for path, sort in sorts.items():
        if sort and sort.name == partitions[path].name:
            yield SettingProblem(
                f"{path}.sort_key.name",
                sort.name,
                "it is the partition key already",
                "Sort by another attribute, or remove the sort key.",
            )


def _index_names_differ(table: TableSettings) -> Iterator[SettingProblem]:
    seen: dict[str, str] = {}
    for path, name, _, _ in _indexes(table):
        if name in seen:
            yield SettingProblem(
                f"{path}.name", name, f"{seen[name]} has this name", "Choose another name."
            )
        seen.setdefault(name, path)


def _projections(table: TableSettings) -> Iterator[SettingProblem]:
    for path, _, projection, attributes in _indexes(table):
        if projection == "INCLUDE" and not attributes:
            yield SettingProblem(
                f"{path}.attributes",
                None,
                "an INCLUDE projection needs a list of attributes",
                "List the attributes, or set the projection to KEYS_ONLY or ALL.",
            )
        if projection != "INCLUDE" and attributes:
            yield SettingProblem(
                f"{path}.attributes",
                attributes,
                f"the projection {projection} has no list of attributes",
                "Set the projection to INCLUDE, or remove the attributes.",
            )


def _projected_attributes_in_total(table: TableSettings) -> Iterator[SettingProblem]:
    count = sum(len(attributes) for _, _, _, attributes in _indexes(table))
    if count > _MAX_PROJECTED:
        yield SettingProblem(
            "table.global_indexes",
            [name for _, name, _, attributes in _indexes(table) if attributes],
            f"all indexes, global and local, project {count} attributes by name, and DynamoDB "
            f"allows {_MAX_PROJECTED} (an attribute of two indexes counts twice)",
            "Set the projection of an index with many to ALL or KEYS_ONLY, or remove some.",
        )


def _indexes(table: TableSettings) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield path, name, projection and projected attributes of every index."""
    indexes: list[tuple[str, GlobalIndex | LocalIndex]] = [
        *((f"table.global_indexes[{n}]", index) for n, index in enumerate(table.global_indexes)),
        *((f"table.local_indexes[{n}]", index) for n, index in enumerate(table.local_indexes)),
    ]
    for path, index in indexes:
        yield path, index.name, index.projection, index.attributes


def _local_needs_sort_key(table: TableSettings) -> Iterator[SettingProblem]:
    if table.local_indexes and not table.sort_key:
        yield SettingProblem(
            "table.local_indexes",
            [index.name for index in table.local_indexes],
            "DynamoDB allows local indexes only on a table with a sort key",
            "Set table.sort_key, or make them global indexes.",
        )


def _ttl_attribute_is_no_key(table: TableSettings) -> Iterator[SettingProblem]:
    if not table.ttl:
        return
    name = table.ttl.attribute
    if name in {key.name for key in table.key_attributes}:
        yield SettingProblem(
            "table.ttl.attribute",
            name,
            "it is a key of the table, and an item's key cannot change",
            "Keep the expiry in an attribute of its own.",
        )
    elif any(key.name == name and key.type != "N" for _, key in table.all_keys()):
        yield SettingProblem(
            "table.ttl.attribute",
            name,
            "it is an index key with a type other than N, and an expiry is a number of seconds",
            "Give the key type N, or keep the expiry in another attribute.",
        )


def _capacity(table: TableSettings) -> Iterator[SettingProblem]:
    for unit in ("read", "write"):
        capacity = getattr(table.billing, unit)
        if table.billing.mode == "PROVISIONED" and capacity is None:
            yield SettingProblem(
                f"table.billing.{unit}",
                None,
                "PROVISIONED billing needs the capacity",
                f"Write the {unit} capacity units, or use PAY_PER_REQUEST.",
            )
        if table.billing.mode == "PAY_PER_REQUEST" and capacity is not None:
            yield SettingProblem(
                f"table.billing.{unit}",
                capacity,
                "PAY_PER_REQUEST billing has no capacity",
                "Remove it, or use PROVISIONED.",
            )


_RULES = (
    _one_type_each,
    _two_keys_differ,
    _index_names_differ,
    _projections,
    _projected_attributes_in_total,
    _local_needs_sort_key,
    _ttl_attribute_is_no_key,
    _capacity,
)

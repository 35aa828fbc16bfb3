"""What the settings of the table must be to each other. Each rule yields the mistakes it finds."""

from __future__ import annotations

from collections.abc import Iterator

from ring.settings.errors import SettingProblem
from ring.settings.sections import TableSettings

_MOST_PROJECTED = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html"""


def check_table(table: TableSettings) -> Iterator[SettingProblem]:
    """All mistakes that lie between settings of the table rather than in one of them."""
    for rule in _RULES:
        yield from rule(table)


def _one_type_each(table: TableSettings) -> Iterator[SettingProblem]:
    first: dict[str, tuple[str, str]] = {}
    for place, key in table.all_keys():
        kind, elsewhere = first.setdefault(key.name, (key.type, place))
        if key.type != kind:
            yield SettingProblem(
                f"{place}.type",
                key.type,
                f"`{key.name}` is {kind} in {elsewhere}, and an attribute has one type",
                f"Write {kind}, or take another attribute.",
            )


def _two_keys_differ(table: TableSettings) -> Iterator[SettingProblem]:
    partitions = {"table": table.partition_key}
    sorts = {"table": table.sort_key}
    for at, wide in enumerate(table.global_indexes):
        place = f"table.global_indexes[{at}]"
        partitions[place], sorts[place] = wide.partition_key, wide.sort_key
    for at, local in enumerate(table.local_indexes):
        place = f"table.local_indexes[{at}]"
        partitions[place], sorts[place] = table.partition_key, local.sort_key
    for place, sort in sorts.items():
        if sort and sort.name == partitions[place].name:
            yield SettingProblem(
                f"{place}.sort_key.name",
                sort.name,
                "it is the partition key already",
                "Sort by another attribute, or leave the sort key out.",
            )


def _index_names_differ(table: TableSettings) -> Iterator[SettingProblem]:
    seen: dict[str, str] = {}
    for place, name, _, _ in _indexes(table):
        if name in seen:
            yield SettingProblem(
                f"{place}.name", name, f"{seen[name]} has this name", "Choose another name."
            )
        seen.setdefault(name, place)


def _projections(table: TableSettings) -> Iterator[SettingProblem]:
    for place, _, projection, attributes in _indexes(table):
        if projection == "INCLUDE" and not attributes:
            yield SettingProblem(
                f"{place}.attributes",
                None,
                "an INCLUDE projection includes nothing without them",
                "List the attributes, or write KEYS_ONLY or ALL as the projection.",
            )
        if projection != "INCLUDE" and attributes:
            yield SettingProblem(
                f"{place}.attributes",
                attributes,
                f"the projection {projection} takes no list of attributes",
                "Write INCLUDE as the projection, or leave the attributes out.",
            )


def _projected_in_all(table: TableSettings) -> Iterator[SettingProblem]:
    projected = sum(len(attributes) for _, _, _, attributes in _indexes(table))
    if projected > _MOST_PROJECTED:
        yield SettingProblem(
            "table.global_indexes",
            [name for _, name, _, attributes in _indexes(table) if attributes],
            f"all indexes together, local ones too, project {projected} attributes by name, and "
            f"DynamoDB takes {_MOST_PROJECTED} (an attribute of two indexes counts twice)",
            "Project ALL or KEYS_ONLY where an index lists many, or leave some out.",
        )


def _indexes(table: TableSettings) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for at, wide in enumerate(table.global_indexes):
        yield f"table.global_indexes[{at}]", wide.name, wide.projection, wide.attributes
    for at, local in enumerate(table.local_indexes):
        yield f"table.local_indexes[{at}]", local.name, local.projection, local.attributes


def _local_needs_sort_key(table: TableSettings) -> Iterator[SettingProblem]:
    if table.local_indexes and not table.sort_key:
        yield SettingProblem(
            "table.local_indexes",
            [index.name for index in table.local_indexes],
            "DynamoDB takes local indexes only on a table that has a sort key",
            "Give table.sort_key, or make them global indexes.",
        )


def _ttl_is_free(table: TableSettings) -> Iterator[SettingProblem]:
    if not table.ttl:
        return
    name = table.ttl.attribute
    if name in (table.partition_key.name, table.sort_key.name if table.sort_key else None):
        yield SettingProblem(
            "table.ttl.attribute",
            name,
            "it is a key of the table, and an item's key can never be given another time",
            "Keep the time of expiry in an attribute of its own.",
        )
    elif any(key.name == name and key.type != "N" for _, key in table.all_keys()):
        yield SettingProblem(
            "table.ttl.attribute",
            name,
            "an index has it as a key that is no number, and an expiry is a number of seconds",
            "Give the index's key type N, or keep the expiry in another attribute.",
        )


def _capacity(table: TableSettings) -> Iterator[SettingProblem]:
    for unit in ("read", "write"):
        given = getattr(table.billing, unit)
        if table.billing.mode == "PROVISIONED" and given is None:
            yield SettingProblem(
                f"table.billing.{unit}",
                None,
                "PROVISIONED billing has to know the capacity",
                f"Write the {unit} capacity units, or take PAY_PER_REQUEST.",
            )
        if table.billing.mode == "PAY_PER_REQUEST" and given is not None:
            yield SettingProblem(
                f"table.billing.{unit}",
                given,
                "PAY_PER_REQUEST billing has no capacity to set",
                "Leave it out, or take PROVISIONED.",
            )


_RULES = (
    _one_type_each,
    _two_keys_differ,
    _index_names_differ,
    _projections,
    _projected_in_all,
    _local_needs_sort_key,
    _ttl_is_free,
    _capacity,
)

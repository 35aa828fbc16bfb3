"""The component's arguments are the settings, under the names that Pulumi's languages use."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError, InputPropertyError
from pulumi.provider.experimental.util import camel_case

from component.arguments import models_in, settings_of
from component.provider import RingProvider
from component.schema import SCHEMA, schema_text
from local.stack_config import StackConfig
from ring.component_types import RING
from ring.project import PROJECT_ROOT
from ring.settings.settings import NAMESPACE, Settings

SMALL: dict[str, Any] = {
    "table": {"name": "carts", "partitionKey": {"name": "id", "type": "S"}},
    "members": [{"region": "us-east-1"}, {"region": "eu-west-1"}],
}


def camel(value: Any, path: str = "") -> Any:
    """Return settings as a program in another language writes them; numbers arrive as floats."""
    if isinstance(value, dict):
        keep = path == ".tags"
        return {
            key if keep else camel_case(key): camel(one, f"{path}.{key}")
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [camel(one, path) for one in value]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_number else value


def errors(inputs: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputPropertiesError) as caught:
        RingProvider().map_inputs(inputs, None)
    return {one["property_path"]: one["reason"] for one in caught.value.errors or ()}


def test_the_schema_changes_only_with_its_file() -> None:
    assert schema_text() == SCHEMA.read_text(), "asked for? Then `make component-schema`"


def test_the_schema_has_every_setting_and_the_components_type() -> None:
    provider = RingProvider()
    inputs = provider._component_defs["Ring"].inputs
    assert f"{NAMESPACE}:index:Ring" == RING
    assert set(inputs) == set(map(camel_case, Settings.model_fields))
    for model in set(models_in(Settings)) - {Settings}:
        properties = provider._type_defs[model.__name__].properties
        assert set(properties) == set(map(camel_case, model.model_fields))
        required = {name for name, one in properties.items() if not one.optional}
        fields = model.model_fields.items()
        assert required == {camel_case(name) for name, one in fields if one.is_required()}


@pytest.mark.parametrize("stack", ["dev", "full", "china"])
def test_every_setting_can_be_given(stack: str) -> None:
    settings = StackConfig.read(PROJECT_ROOT, stack).settings
    found = RingProvider().map_inputs(camel(settings), None)
    assert found == Settings.parse(settings)


def test_the_names_of_tags_stay_as_they_are() -> None:
    assert settings_of({"tags": {"cost_center": "1", "costCenter": "2"}}) == {
        "tags": {"cost_center": "1", "costCenter": "2"}
    }


def test_errors_have_the_names_of_the_schema() -> None:
    members = [*SMALL["members"], {"region": "sa-east-1", "kmsKey": "mine"}]
    found = errors({**SMALL, "members": members, "mapping": {"batchSize": 0.0}})
    assert set(found) == {"members[2].kmsKey", "mapping.batchSize"}


def test_a_misspelled_argument_is_refused_and_not_dropped() -> None:
    (reason,) = errors({**SMALL, "member": []}).values()
    assert "Did you mean" in reason


def test_a_setting_has_one_name_only() -> None:
    with pytest.raises(InputPropertyError, match="partitionKey"):
        settings_of({"table": {**SMALL["table"], "partition_key": {}}})


@pytest.mark.usefixtures("event_loop_of_its_own")
@pytest.mark.parametrize("make", [lambda: pulumi.Output.secret("carts"), pulumi.output.Unknown])
def test_a_value_that_is_not_known_is_refused(make: Callable[[], Any]) -> None:
    value = make()
    with pytest.raises(InputPropertyError) as caught:
        settings_of({**SMALL, "table": {**SMALL["table"], "name": value}})
    assert caught.value.property_path == "table.name"

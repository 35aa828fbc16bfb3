"""The schema as the text of component/schema.json: `python -m component.schema` writes the file."""

import json
from pathlib import Path

from component.provider import RingProvider

SCHEMA = Path(__file__).with_suffix(".json")


def schema_text() -> str:
    """Return the schema that the provider gives to the engine, as readable JSON."""
    return json.dumps(json.loads(RingProvider().schema or ""), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")

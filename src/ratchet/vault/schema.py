"""The JSON Schema of the playbook file, for editors: `python -m ratchet.vault.schema`."""

import json
import sys
from typing import Any, cast

from pydantic import BaseModel, BeforeValidator

from ratchet.domain import playbook as nouns
from ratchet.domain.playbook import Playbook

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = {
    "description": "A number with a unit, such as 500ms, 90s, 5m, 2h or 7d.",
    "anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}, {"type": "number"}],
}


def json_schema() -> dict[str, Any]:
    """What a playbook file may hold, as people write it: durations as text, one name instead of a list of one."""
    schema = Playbook.model_json_schema(by_alias=True)
    definitions = cast(dict[str, dict[str, Any]], schema["$defs"])
    for name, definition in definitions.items():
        model: Any = getattr(nouns, name, None)
        if isinstance(model, type) and issubclass(model, BaseModel):
            _as_written(model, definition)
    return {"$schema": DIALECT, "title": "Ratchet playbook", **{k: v for k, v in schema.items() if k != "title"}}


def _as_written(model: type[BaseModel], definition: dict[str, Any]) -> None:
    properties = cast(dict[str, dict[str, Any]], definition.get("properties", {}))
    for name, field in model.model_fields.items():
        lenient = any(isinstance(entry, BeforeValidator) for entry in field.metadata)
        place = field.alias or name
        if not lenient or place not in properties:
            continue
        written = properties[place]
        if written.get("type") == "number":
            properties[place] = {**_DURATION, **{k: v for k, v in written.items() if k == "default"}}
        elif written.get("type") == "array":
            properties[place] = {"anyOf": [{"type": "string"}, written]}


def schema_text() -> str:
    """The schema as it stands in docs/reference/playbook.schema.json."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())

"""JSON values as YAML, for `-o yaml`."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML


def as_yaml(value: Any) -> str:
    """Block style, keys in the order given."""
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 120
    out = StringIO()
    writer.dump(value, out)  # pyright: ignore[reportUnknownMemberType] - ruamel.yaml is untyped here
    return out.getvalue()

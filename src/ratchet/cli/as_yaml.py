"""JSON values as YAML, for `-o yaml`."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from ratchet.cli.words import hides, yaml_escaped

_TEXT = "tag:yaml.org,2002:str"


class _Plainly(RoundTripRepresenter):
    """Quotes every text that hides something, since only a quoted text has escapes."""


def _text(writer: Any, value: str) -> Any:
    return writer.represent_scalar(_TEXT, value, style='"' if hides(value) else None)


_Plainly.add_representer(str, _text)  # pyright: ignore[reportUnknownMemberType] - as below


def as_yaml(value: Any) -> str:
    """Block style, keys in the order given; what nobody sees, or what steers a terminal, as an escape."""
    writer = YAML()
    writer.Representer = _Plainly
    writer.default_flow_style = False
    writer.width = 120
    out = StringIO()
    writer.dump(value, out)  # pyright: ignore[reportUnknownMemberType] - ruamel.yaml is untyped here
    return yaml_escaped(out.getvalue())

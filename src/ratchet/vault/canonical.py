"""The one way a playbook is written down: fixed key order, no anchors, defaults left out. Digests name it."""

import hashlib
import io
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, FoldedScalarString, LiteralScalarString

from ratchet.domain.playbook import Playbook

_WIDTH = 4096
_LINE = 96


def canonical_text(playbook: Playbook) -> str:
    """The canonical YAML of a playbook; reading it gives an equal playbook."""
    body = playbook.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    ordered = {"apiVersion": playbook.api_version, "kind": playbook.kind, **body}
    writer = YAML()
    writer.version = (1, 2)
    writer.width = _WIDTH
    writer.explicit_start = False
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    cast(Any, writer).dump(_styled(ordered), out)
    return out.getvalue().removeprefix("%YAML 1.2\n---\n")


def text_digest(text: str) -> str:
    """`sha256:` over the bytes of a canonical text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest(playbook: Playbook) -> str:
    """The digest that versions, packets and certificates name."""
    return text_digest(canonical_text(playbook))


def _styled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _styled(item) for key, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_styled(item) for item in cast(list[Any], value)]
    return _styled_text(value) if isinstance(value, str) else value


def _styled_text(value: str) -> str:
    if "\n" in value and _fits_a_block(value):
        return LiteralScalarString(value)
    sound = value.isprintable() and value == value.strip()
    if sound and len(value) > _LINE and "  " not in value:
        return _folded(value)
    return value if sound else DoubleQuotedScalarString(value)


def _folded(value: str) -> str:
    """A long line as a folded block, broken at the last space before the margin; reading it gives one line again."""
    places: list[int] = []
    start = 0
    while len(value) - start > _LINE:
        place = value.rfind(" ", start, start + _LINE)
        place = place if place > start else value.find(" ", start + _LINE)
        if place < 0:
            break
        places.append(place)
        start = place + 1
    folded = FoldedScalarString(value)
    folded.fold_pos = places
    return folded


def _fits_a_block(value: str) -> bool:
    lines = value.split("\n")
    printable = all(character.isprintable() for line in lines for character in line)
    return printable and value[0] not in " \n" and not value.endswith("\n\n") and all(x == x.rstrip() for x in lines)

"""The one way a noun is declared: frozen, closed to unknown keys, the same in code, files, tables and HTTP."""

import hashlib
from typing import Any, TypeAlias

import rfc8785
from pydantic import BaseModel, ConfigDict

Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
"""What conditions, evidence and packets may hold: JSON types only."""


class Noun(BaseModel):
    """A value with a name in GLOSSARY.md. Instances never change; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def canonical(value: Json) -> bytes:
    """The canonical JSON bytes of a value (RFC 8785); raises ValueError for what JSON cannot hold."""
    return rfc8785.dumps(value)


def digest_of(value: Json) -> str:
    """`sha256:` and the hexadecimal SHA-256 of the canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()

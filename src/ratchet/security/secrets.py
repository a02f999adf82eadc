"""Secrets: resolved from a reference at the last moment, and hidden wherever a value might be shown."""

import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ratchet.domain.errors import invalid
from ratchet.domain.target import SecretRef, holds_password

HIDDEN = "***"


class Secret:
    """A value that only `reveal` shows: not its repr, str, format, hash, pickle, JSON or validation errors."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; for the call that needs it, never for a message."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode("utf-8"), other._value.encode("utf-8"))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        shown = core_schema.plain_serializer_function_ser_schema(_hide, return_schema=core_schema.str_schema())
        return core_schema.is_instance_schema(cls, serialization=shown)


def _hide(_: Secret) -> str:
    return HIDDEN


def resolve(ref: SecretRef, environ: Mapping[str, str], read_text: Callable[[Path], str]) -> Secret:
    """The credential behind a reference; raises Refusal(INVALID) when it is not there.

    `read_text` is `ratchet.security.private_file.read_private` outside tests: it refuses files that others may read.
    A `pgpass` reference is a connection string without password; libpq finds the password in `.pgpass` itself.
    """
    match ref.kind:
        case "env":
            value = environ.get(ref.name, "")
            remedy = f"Set {ref.name} in the environment that Ratchet is started from."
        case "file":
            value = read_text(Path(ref.name)).strip("\r\n")
            remedy = f"Write the connection string into {ref.name} (mode 0600)."
        case "pgpass":
            value = ref.name
            remedy = "Give a connection string such as `host=db1 dbname=shop user=ratchet_diag`."
            _refuse_password(value)
    if not value:
        raise invalid(f"The secret {ref.kind}:{_shown(ref)} is empty or not set.", remedy)
    return Secret(value)


def _shown(ref: SecretRef) -> str:
    return HIDDEN if holds_password(ref.name) else ref.name


def _refuse_password(conninfo: str) -> None:
    if holds_password(conninfo):
        raise invalid(
            "A pgpass reference holds a password; it would be stored and shown.",
            "Take the password out of the connection string and put it into ~/.pgpass (mode 0600).",
        )

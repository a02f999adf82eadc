"""What an audit entry is about, for whoever has only its record: which token, target, grant, certificate or version."""

import json
from typing import Any, NamedTuple, cast

from ratchet.domain.audit import AuditEntry

LONGEST = 400
"""Characters of a text that stand in a record."""
Body = dict[str, Any]
_NESTED = {
    "target_added": ("target", "target", "name"), "standing_given": ("grant", "standing", "id"),
    "certificate_given": ("certificate", "certificate", "id"), "run_kept": ("run", "run", "id"),
}  # fmt: skip
"""By kind of event: the noun, the field that holds it whole, and the field of that with its id."""
_NAMED = {
    "token_made": "token", "token_revoked": "token", "standing_revoked": "grant", "standing_charged": "grant",
    "certificate_revoked": "certificate",
}  # fmt: skip
"""By kind of event: the noun whose id stands in the event itself."""
_DETAILS = {
    "target": ("kind", "address", "tags", "owner"),
    "token": ("name", "role", "person"),
    "grant": (
        "series",
        "step",
        "targets",
        "tag",
        "bounds",
        "uses",
        "cap",
        "left",
        "op_id",
        "expires_at",
        "fault",
        "certificate",
    ),
    "certificate": ("series", "version_id", "target", "passed", "failed", "expires_at"),
    "run": ("fault", "series", "target", "verdict"),
}
_VERSION = ("version_id", "version", "source", "active", "rollback", "revision", "words_only")


class AuditObject(NamedTuple):
    """A noun, its id, and what of it decides what it may do; texts only, none longer than `LONGEST`."""

    type: str
    id: str
    detail: dict[str, str]

    @property
    def name(self) -> str:
        """`token/tok_1`, or `house` where there is one alone."""
        return self.type if self.id == self.type else f"{self.type}/{self.id}"

    @property
    def line(self) -> str:
        """`token/tok_1 name=ci role=admin`."""
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.detail.items())])


def object_of(entry: AuditEntry, body: Body) -> AuditObject:
    """The object of an entry: that of its stream, or the one of the house that its event names."""
    noun, _, name = entry.stream.partition("/")
    if entry.kind in _NESTED:
        kind, field, key = _NESTED[entry.kind]
        inner = part(body, field)
        return AuditObject(kind, _text(inner.get(key)), _picked(inner, _DETAILS[kind]))
    if entry.kind in _NAMED:
        kind = _NAMED[entry.kind]
        return AuditObject(kind, _text(body.get("id")), _picked(body, _DETAILS[kind]))
    if noun == "series":
        inner = part(body, "version")
        whole = {**body, "version_id": inner.get("id") or body.get("version_id"), **inner} if inner else body
        return AuditObject(noun, name or noun, _picked(whole, _VERSION))
    return AuditObject(noun, name or noun, {})


def part(body: Body, field: str) -> Body:
    """What an event holds whole under that name; empty when it holds nothing of the kind there."""
    inner = body.get(field)
    return cast("Body", inner) if isinstance(inner, dict) else {}


def _picked(body: Body, fields: tuple[str, ...]) -> dict[str, str]:
    """Those fields that say something, as texts."""
    found = {field: _text(body.get(field)) for field in fields}
    return {field: value for field, value in found.items() if value}


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)[:LONGEST]
        case dict() if value:
            return json.dumps(value, separators=(",", ":"), ensure_ascii=True)[:LONGEST]
        case list():
            return ",".join(str(each) for each in cast("list[object]", value))[:LONGEST]
        case _:
            return ""

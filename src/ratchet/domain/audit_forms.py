"""Audit entries in the forms that other programs read: JSON lines of our own, OCSF for a SIEM, CEF for an older one."""

import json
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from ratchet.domain.audit import AuditEntry
from ratchet.domain.audit_objects import LONGEST, object_of, part

Form = Literal["jsonl", "ocsf", "cef"]
OCSF_VERSION = "1.6.0"
API_ACTIVITY = 6003
"""Class `API Activity` of category 6: what somebody did through Ratchet's interface, or Ratchet by itself."""


class Meaning(NamedTuple):
    """What a kind of event is to a SIEM: created (1), read (2), updated (3), deleted (4); severity 1..4; success."""

    activity: int = 3
    severity: int = 1
    success: bool = True


_MEANINGS: dict[str, Meaning] = {
    "opened": Meaning(1, 2), "looked": Meaning(2), "concluded": Meaning(2), "sampled": Meaning(2),
    "asked": Meaning(1, 2), "planned": Meaning(1), "refused": Meaning(3, 2, success=False),
    "expired": Meaning(3, 2, success=False),
    "superseded": Meaning(3, 2, success=False), "granted": Meaning(3, 3), "intended": Meaning(3, 4),
    "acted": Meaning(3, 4), "doubted": Meaning(3, 4, success=False), "settled": Meaning(2, 3),
    "escalated": Meaning(3, 3, success=False), "drafted": Meaning(1), "version_drafted": Meaning(1),
    "activated": Meaning(3, 3), "discarded": Meaning(4, 2), "retired": Meaning(4, 2), "target_added": Meaning(1, 3),
    "token_made": Meaning(1, 3), "token_revoked": Meaning(4, 3), "noted": Meaning(1), "taken": Meaning(3, 2),
    "handed_back": Meaning(3, 2), "closed": Meaning(3, 2), "paused": Meaning(3, 3), "resumed": Meaning(3, 3),
    "standing_given": Meaning(1, 4), "standing_revoked": Meaning(4, 3), "standing_charged": Meaning(3, 3),
    "end_proposed": Meaning(3, 2), "certificate_given": Meaning(1, 3), "certificate_revoked": Meaning(4, 3),
    "run_kept": Meaning(1), "rated": Meaning(3), "followed_up": Meaning(3),
}  # fmt: skip
_ACTORS = {"user": ("user", 1, "User"), "service": ("service", 99, "Service"), "ratchet": ("system", 3, "System")}
"""By the first part of `by`: our word, and OCSF's `type_id` with its caption."""
_SYSLOG_LEVEL = {1: 6, 2: 5, 3: 4, 4: 3}
_CEF_SEVERITY = {1: 1, 2: 3, 3: 6, 4: 8}


def record(entry: AuditEntry) -> dict[str, Any]:
    """The entry's own record: who did what to what, its place in the chain, and no free text beyond a reason."""
    body = entry.body
    about = object_of(entry, body)
    said = {**_said(entry, body), **_outcome(entry, body), **({"detail": about.detail} if about.detail else {})}
    return {
        "seq": entry.position, "ts": _rfc3339(entry.at), "prev_hash": entry.previous, "hash": entry.mac,
        "actor": {"type": _actor(entry.by)[0], "id": entry.by}, "action": entry.kind,
        "object": {"type": about.type, "id": about.id, "seq": entry.seq}, **said, "tenant": entry.tenant,
    }  # fmt: skip


def jsonl(entry: AuditEntry) -> str:
    """The record with the exact bytes that its hash covers: whoever has the key can walk an export."""
    return _line({**record(entry), "stored": entry.stored})


def short(entry: AuditEntry) -> str:
    """The record alone, for sinks."""
    return _line(record(entry))


def ocsf(entry: AuditEntry) -> str:
    """One OCSF event of class API Activity. It has no address of a caller, so the house itself is its source."""
    told = record(entry)
    meaning = meaning_of(entry.kind)
    kind, type_id, caption = _actor(entry.by)
    outcome = told["outcome"]
    name = entry.by.partition(":")[2] or entry.by
    event = {
        "class_uid": API_ACTIVITY, "class_name": "API Activity", "category_uid": 6,
        "category_name": "Application Activity", "activity_id": meaning.activity,
        "activity_name": ("", "Create", "Read", "Update", "Delete")[meaning.activity],
        "type_uid": API_ACTIVITY * 100 + meaning.activity, "time": int(entry.at.timestamp() * 1000),
        "severity_id": meaning.severity, "status_id": 1 if outcome == "success" else 2,
        "status": outcome.capitalize(), "message": told.get("reason", ""),
        "metadata": {
            "version": OCSF_VERSION, "product": {"name": "Ratchet", "vendor_name": "Ratchet"}, "uid": entry.mac,
            "sequence": entry.position, "event_code": entry.kind, "correlation_uid": told.get("incident", ""),
            "original_time": told["ts"], "tenant_uid": entry.tenant,
        },
        "actor": {"user": {"name": name, "uid": entry.by, "type_id": type_id, "type": caption}, "app_name": kind},
        "api": {"operation": entry.kind, "service": {"name": "ratchet"}, "request": {"uid": str(entry.position)}},
        "src_endpoint": {"name": "ratchet"},
        "resources": [_resource(told)],
        "unmapped": {key: told[key] for key in ("decision", "packet_digest", "prev_hash", "effect") if key in told},
    }  # fmt: skip
    return _line(event)


def cef(entry: AuditEntry, version: str) -> str:
    """One CEF line; `\\` and `|` are escaped in the header, `\\`, `=` and line breaks in the extensions."""
    told = record(entry)
    words = entry.kind.replace("_", " ").capitalize()
    severity = _CEF_SEVERITY[meaning_of(entry.kind).severity]
    about = object_of(entry, entry.body)
    header = ("Ratchet", "ratchet", version, f"{told['object']['type']}.{entry.kind}", words, str(severity))
    fields = {
        "rt": str(int(entry.at.timestamp() * 1000)), "externalId": str(entry.position), "suser": entry.by,
        "act": entry.kind, "outcome": told["outcome"], "reason": told.get("reason", ""),
        **_custom("incident", told.get("incident", ""), 1), **_custom("decision", told.get("decision", ""), 2),
        **_custom("digest", told.get("packet_digest", ""), 3), **_custom("hash", entry.mac, 4),
        **_custom("previous", entry.previous, 5), **_custom("object", about.line, 6),
    }  # fmt: skip
    extensions = " ".join(f"{key}={_extension(value)}" for key, value in fields.items() if value)
    return "CEF:0|" + "|".join(_header(part) for part in header) + "|" + extensions


def meaning_of(kind: str) -> Meaning:
    """What a kind of event is to a SIEM; an update of little weight when it is not in the table."""
    return _MEANINGS.get(kind, Meaning())


def syslog_level(kind: str) -> int:
    """Severity in syslog's numbers: 3 error to 6 informational."""
    return _SYSLOG_LEVEL[meaning_of(kind).severity]


def _resource(told: dict[str, Any]) -> dict[str, Any]:
    """The object as OCSF's resource_details, with what decides about it as its data."""
    about, detail = told["object"], told.get("detail", {})
    found = {"type": about["type"], "uid": about["id"], "name": detail.get("name", about["id"])}
    return {**found, "data": detail} if detail else found


def _custom(label: str, value: str, number: int) -> dict[str, str]:
    return {f"cs{number}Label": label, f"cs{number}": value} if value else {}


def _header(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def _extension(text: str) -> str:
    escaped = _plain(text).replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\r", "\\r").replace("\n", "\\n")


def _plain(text: str) -> str:
    """Without the controls and marks that break or turn a line around; line breaks stay, to be escaped."""
    return "".join(c if c in "\r\n" or (c.isprintable() and c not in "\u2028\u2029") else "\ufffd" for c in text)


def _actor(by: str) -> tuple[str, int, str]:
    return _ACTORS.get(by.partition(":")[0], ("agent", 99, "Other"))


def _outcome(entry: AuditEntry, body: dict[str, Any]) -> dict[str, str]:
    """Success or failure: an event whose own word is no counts as a failure, whatever its kind."""
    good = meaning_of(entry.kind).success
    if entry.kind == "acted":
        good = body.get("outcome") == "done"
    if entry.kind == "verified":
        good = body.get("passed") is True
    if entry.kind == "certificate_given":
        found = part(body, "certificate")
        good = bool(found.get("passed")) and not found.get("failed")
    return {"outcome": "success" if good else "failure"}


def _said(entry: AuditEntry, body: dict[str, Any]) -> dict[str, str]:
    """Ids and the reason that an event carries, wherever its kind keeps them."""
    whole = ("packet", "approval", "grant", "handoff", "standing")
    none: dict[str, Any] = {}
    inner = next((found for name in whole if (found := part(body, name))), none)
    noun, _, name = entry.stream.partition("/")
    answered = body.get("digest") if "decision" in body else ""
    found = {
        "incident": name if noun == "incident" else "",
        "decision": body.get("decision") or inner.get("decision") or (inner.get("id") if "packet" in body else ""),
        "packet_digest": inner.get("packet_digest") or inner.get("digest") or answered,
        "effect": inner.get("act", {}).get("effect"),
        "op_id": body.get("op_id") or inner.get("op_id"),
        "reason": body.get("reason") or body.get("because") or inner.get("reason") or inner.get("sentence"),
    }
    return {key: value[:LONGEST] for key, value in found.items() if isinstance(value, str) and value}


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)

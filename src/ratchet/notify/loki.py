"""Appends the audit trail to Loki through its push interface."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from ratchet.domain.audit import AuditEntry
from ratchet.domain.audit_forms import record, short
from ratchet.domain.audit_objects import object_of
from ratchet.notify.address import address_of
from ratchet.notify.follow import Unreached, Unwanted

PUSH = "/loki/api/v1/push"
_WRONG = ("RATCHET_LOKI_URL is not an address of a Loki.", "Write it as http://127.0.0.1:3100.")
_TIMEOUT = httpx2.Timeout(10.0, connect=3.0)
_NEVER = frozenset({400, 413, 422})
"""Answers about the entries themselves; every other refusal may pass."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Loki:
    """One Loki. A name and a password in the address are sent as basic authentication and shown nowhere."""

    def __init__(self, url: str, transport: httpx2.BaseTransport | None = None) -> None:
        place = address_of(url, _WRONG)
        self._push = place.url(place.path.removesuffix(PUSH).rstrip("/") + PUSH)
        self.name = f"loki {place.host}"
        self._client = httpx2.Client(auth=place.auth, timeout=_TIMEOUT, transport=transport, trust_env=False)

    def send(self, entries: Sequence[AuditEntry]) -> None:
        """Push in one request; Loki has taken all of it or nothing."""
        body = json.dumps({"streams": streams(entries)}, separators=(",", ":")).encode("ascii")
        try:
            answer = self._client.post(self._push, content=body, headers={"Content-Type": "application/json"})
        except httpx2.HTTPError as error:
            raise Unreached(type(error).__name__) from None
        if answer.status_code in _NEVER:
            raise Unwanted(f"HTTP {answer.status_code}")
        if not answer.is_success:
            raise Unreached(f"HTTP {answer.status_code}")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def streams(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """A stream per noun and tenant, so that labels stay few; ids stand in the structured metadata of each line."""
    found: dict[tuple[str, str], list[list[Any]]] = {}
    for entry in entries:
        noun = object_of(entry, entry.body).type
        value = [_nanoseconds(entry.at), short(entry), _metadata(entry)]
        found.setdefault((entry.tenant, noun), []).append(value)
    return [
        {"stream": {"app": "ratchet", "kind": "audit", "tenant": tenant, "object": noun}, "values": values}
        for (tenant, noun), values in found.items()
    ]


def _nanoseconds(at: datetime) -> str:
    """Nanoseconds since 1970 as a string; Loki refuses a number, and a float would lose the microseconds."""
    return str((at - _EPOCH) // timedelta(microseconds=1) * 1000)


def _metadata(entry: AuditEntry) -> dict[str, str]:
    told = record(entry)
    ids = {key: told[key] for key in ("incident", "decision", "op_id", "packet_digest") if key in told}
    return {"seq": str(entry.position), "action": entry.kind, "by": entry.by, **ids}

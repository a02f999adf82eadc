"""The audit trail: read, checked, exported."""

from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from ratchet.domain.audit import AuditEntry, AuditKey, AuditReport
from ratchet.domain.audit_forms import Form
from ratchet.domain.ports import Page
from ratchet.gateway.access import Read
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Limit

router = APIRouter(prefix="/api/v1", tags=["audit"], responses=REFUSED)


@router.get("/audit")
def audit(desk: Read, limit: Limit = 50, cursor: str | None = None) -> Page[AuditEntry]:
    """The newest entries of the audit trail first."""
    return desk.audit_tail(limit=limit, cursor=cursor)


@router.get("/audit/verify")
def verify(desk: Read, full: bool = False) -> AuditReport:
    """Check the chain from the last seal on, or whole (for operators); `ok` is false when it is broken."""
    return desk.audit_verify(full=full)


@router.get("/audit/key")
def key(desk: Read) -> AuditKey:
    """The public key under this house's seals and bundles."""
    return desk.audit_key()


@router.get("/audit/export", response_class=StreamingResponse)
def export(
    desk: Read, form: Form = "jsonl", since: datetime | None = None, until: datetime | None = None
) -> StreamingResponse:
    """A line per event, oldest first: JSON lines, OCSF 1.6 or CEF."""
    lines = desk.audit_export(form, since=since, until=until)
    kind = "text/plain; charset=utf-8" if form == "cef" else "application/x-ndjson"
    return StreamingResponse(_ended(lines), media_type=kind)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    return (line + "\n" for line in lines)

"""Incidents and what was captured for them."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query

from ratchet.desk.views import IncidentLine, IncidentView
from ratchet.domain.evidence import Evidence
from ratchet.domain.ports import Page
from ratchet.gateway.access import Read
from ratchet.gateway.problem import REFUSED

router = APIRouter(prefix="/api/v1", tags=["incidents"], responses=REFUSED)

Reference: TypeAlias = Annotated[str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9_.@:-]+$")]
"""An id, a name or a pin. Nothing that could be a path, or that a database refuses to hold."""
Words: TypeAlias = Annotated[list[str] | None, Query()]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=200)]


def words(given: list[str] | None) -> list[str]:
    """`?status=open&status=held` and `?status=open,held` mean the same."""
    return [part for text in given or [] for part in text.split(",") if part]


@router.get("/incidents")
def incidents(desk: Read, status: Words = None, limit: Limit = 50, cursor: str | None = None) -> Page[IncidentLine]:
    """List incidents, newest first."""
    return desk.incidents(status=words(status), limit=limit, cursor=cursor)


@router.get("/incidents/{reference}")
def incident(desk: Read, reference: Reference) -> IncidentView:
    """Show one incident, whole."""
    return desk.incident(reference)


@router.get("/evidence/{reference}")
def evidence(desk: Read, reference: Reference) -> Evidence:
    """Show captured evidence, as captured."""
    return desk.evidence(reference)

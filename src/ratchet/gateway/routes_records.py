"""What is taken out of an incident: its recovery state, its resolution, its bundle."""

from typing import Any

from fastapi import APIRouter, Response

from ratchet.desk.resolution import Resolution
from ratchet.gateway.access import Read
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["incidents"], responses=REFUSED)


@router.get("/incidents/{reference}/kv")
def kv(desk: Read, reference: Reference) -> dict[str, Any]:
    """The recovery state under `incident:INC-1:status|steps|checkpoint|timeline|owner`."""
    return desk.kv(reference)


@router.get("/incidents/{reference}/export")
def resolution(desk: Read, reference: Reference) -> Resolution:
    """How an incident ended: timeline, times, who resolved it, whether the fix held."""
    return desk.resolution(reference)


@router.get("/incidents/{reference}/bundle", response_class=Response)
def bundle(desk: Read, reference: Reference) -> Response:
    """Everything about an incident as one signed zip, checked anywhere by `ratchet audit verify`."""
    headers = {"Content-Disposition": f'attachment; filename="{reference}.bundle.zip"'}
    return Response(desk.bundle(reference), media_type="application/zip", headers=headers)

"""Drills: begun, looked at, judged again, ended; and the runs that are kept of them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ratchet.domain.certificate import Certificate, Certification, Proof
from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged, Run
from ratchet.domain.observed import Observed
from ratchet.domain.ports import Page
from ratchet.gateway.access import Answer, OperatePerson, Read
from ratchet.gateway.bodies import FiredAgain, WhyBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["drills"], responses=REFUSED)
MOST = 10_000


@router.get("/targets/{reference}/ground")
def ground(desk: Read, reference: Reference) -> Ground:
    """A target tagged chaos as it is now, before anything is caused on it."""
    return desk.drills.ground(reference)


@router.post("/drills", status_code=201)
def start(desk: OperatePerson, request: DrillRequest) -> Drill:
    """Hand in the alert of a fault that is in effect; with `remediate` an approver's right is needed."""
    return desk.drills.start(request)


@router.get("/drills/{reference}")
def observed(desk: Read, reference: Reference) -> Observed:
    """Say what a grader sees of a drill's incident now."""
    return desk.drills.observed(reference)


@router.get("/drills/{reference}/rejudged")
def rejudge(desk: Read, reference: Reference) -> Rejudged:
    """Judge the kept evidence once more and compare with what was concluded."""
    return desk.drills.rejudge(reference)


@router.post("/drills/{reference}/fire-again", status_code=201)
def fire_again(desk: Answer, reference: Reference) -> FiredAgain:
    """Hand in a drill's alert once more, and the same trouble from another group of alerts."""
    return FiredAgain(incident=desk.drills.fire_again(reference))


@router.post("/drills/{reference}/end", status_code=204)
def end(desk: OperatePerson, reference: Reference, body: WhyBody) -> Response:
    """End a drill: its standing grants are dead, its incident is closed."""
    desk.drills.end(reference, body.reason)
    return Response(status_code=204)


@router.post("/runs", status_code=204)
def keep(desk: OperatePerson, run: Run) -> Response:
    """Keep a run for ever; 409 where the incident of its drill does not bear it out."""
    desk.drills.keep(run)
    return Response(status_code=204)


@router.get("/runs")
def runs(
    desk: Read,
    since: datetime | None = None,
    fault: Annotated[str, Query(max_length=63)] = "",
    batch: Annotated[str, Query(max_length=8)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
) -> Page[Run]:
    """List runs of drills, newest first."""
    return Page[Run](items=tuple(desk.drills.runs(since=since, fault=fault, batch=batch, limit=limit)))


@router.post("/fleet/certificates", status_code=201)
def certify(desk: Answer, found: Certification) -> Certificate:
    """Keep what a certification found; a failed one ends the earlier ones of the same text and environment."""
    return desk.drills.certify(found)


@router.get("/fleet/certificates")
def certificates(desk: Read, series: Annotated[str, Query(max_length=100)] = "") -> Page[Proof]:
    """List certificates, newest first, and whether each counts now."""
    return Page[Proof](items=tuple(desk.drills.certificates(series)))

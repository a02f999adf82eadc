"""What people do to incidents and to the automation as a whole: take, hand back, resolve, pause, grant in advance."""

from typing import Annotated

from fastapi import APIRouter, Query

from ratchet.desk.views import AutomationView, GrantRequest, GrantView, IncidentView
from ratchet.domain.ports import Page
from ratchet.gateway.access import Answer, Operate, OperatePerson, Read
from ratchet.gateway.bodies import REASON, EscalateBody, NoteBody, ResolveBody, WhyBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["hands"], responses=REFUSED)


@router.post("/incidents/{reference}/take")
def take(desk: OperatePerson, reference: Reference, body: WhyBody) -> IncidentView:
    """Take an incident over; approvals are void, and `in_flight` says what may still land."""
    return desk.take(reference, body.reason)


@router.post("/incidents/{reference}/handback")
def hand_back(desk: OperatePerson, reference: Reference, body: WhyBody) -> IncidentView:
    """Give a held incident back to the automation, which looks afresh."""
    return desk.hand_back(reference, body.reason)


@router.post("/incidents/{reference}/note")
def note(desk: Operate, reference: Reference, body: NoteBody) -> IncidentView:
    """Write something into the timeline."""
    return desk.note(reference, body.text)


@router.post("/incidents/{reference}/resolve")
def resolve(desk: OperatePerson, reference: Reference, body: ResolveBody) -> IncidentView:
    """Say that it is over, and which known cause it had."""
    return desk.resolve(reference, body.cause, body.reason)


@router.post("/incidents/{reference}/escalate")
def escalate(desk: Operate, reference: Reference, body: EscalateBody) -> IncidentView:
    """Hand over to whom the criterion asks for, with everything that is known."""
    return desk.escalate(reference, body.reason, body.criterion)


@router.post("/incidents/{reference}/close")
def close(desk: OperatePerson, reference: Reference, body: WhyBody) -> IncidentView:
    """Put away what is resolved, escalated or held."""
    return desk.close_incident(reference, body.reason)


@router.get("/automation")
def automation(desk: Read) -> AutomationView:
    """Whether acts may begin, and what may still land."""
    return desk.automation()


@router.post("/automation/pause")
def pause(desk: OperatePerson, body: WhyBody) -> AutomationView:
    """Begin no act on any target from now on."""
    return desk.pause(body.reason)


@router.post("/automation/resume")
def resume(desk: OperatePerson, body: WhyBody) -> AutomationView:
    """Let acts begin again; approved steps that waited go on."""
    return desk.resume(body.reason)


@router.get("/grants")
def grants(desk: Read) -> Page[GrantView]:
    """List all standing grants, newest first."""
    return Page[GrantView](items=tuple(desk.grants()))


@router.post("/grants", status_code=201)
def give_grant(desk: Answer, request: GrantRequest) -> GrantView:
    """Approve a step of a series' active text in advance, within bounds."""
    return desk.give_grant(request)


@router.delete("/grants/{reference}")
def revoke_grant(
    desk: Answer, reference: Reference, reason: Annotated[str, Query(max_length=REASON)] = ""
) -> GrantView:
    """Make a standing grant cover nothing from now on."""
    return desk.revoke_grant(reference, reason)

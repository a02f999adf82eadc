"""Decisions: what waits for a person, and the answer bound to its digest."""

from fastapi import APIRouter

from ratchet.desk.views import DecisionView
from ratchet.domain.ports import Page
from ratchet.gateway.access import Answer, Read
from ratchet.gateway.bodies import AnswerBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Limit, Reference, Words, words

router = APIRouter(prefix="/api/v1/decisions", tags=["decisions"], responses=REFUSED)


@router.get("")
def decisions(desk: Read, state: Words = None, limit: Limit = 50, cursor: str | None = None) -> Page[DecisionView]:
    """List decisions; pending ones by expiry when only they are asked."""
    return desk.decisions(state=words(state), limit=limit, cursor=cursor)


@router.get("/{reference}")
def decision(desk: Read, reference: Reference) -> DecisionView:
    """Show one decision with its packet."""
    return desk.decision(reference)


@router.post("/{reference}/approve")
def approve(desk: Answer, reference: Reference, body: AnswerBody) -> DecisionView:
    """Say yes to exactly the packet with this digest."""
    return desk.approve(reference, body.digest, body.reason)


@router.post("/{reference}/deny")
def deny(desk: Answer, reference: Reference, body: AnswerBody) -> DecisionView:
    """Say no; final."""
    return desk.deny(reference, body.digest, body.reason)

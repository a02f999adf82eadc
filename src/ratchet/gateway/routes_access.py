"""Who asks, who may, and whether all is well: tokens, whoami, doctor."""

from fastapi import APIRouter

from ratchet.desk.views import CheckView, NewToken, TokenView
from ratchet.domain.ports import Page
from ratchet.gateway.access import Admin, Known, Read
from ratchet.gateway.bodies import TokenBody, Who
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["access"], responses=REFUSED)


@router.get("/whoami")
def whoami(desk: Known) -> Who:
    """Say who asks, and in which role."""
    who, role = desk.whoami()
    return Who(who=who, role=role)


@router.get("/tokens")
def tokens(desk: Admin) -> Page[TokenView]:
    """List all tokens, without their texts."""
    return Page[TokenView](items=tuple(desk.tokens()))


@router.post("/tokens", status_code=201)
def make_token(desk: Admin, body: TokenBody) -> NewToken:
    """Make a token; its text is shown here and never again."""
    return desk.make_token(body.name, person=body.person, role=body.role, days=body.days)


@router.delete("/tokens/{reference}", status_code=204)
def revoke_token(desk: Admin, reference: Reference) -> None:
    """Revoke a token."""
    desk.revoke_token(reference)


@router.get("/doctor")
def doctor(desk: Read) -> Page[CheckView]:
    """Check everything that Ratchet stands on."""
    return Page[CheckView](items=tuple(desk.doctor()))

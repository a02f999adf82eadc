"""What people say of incidents afterwards, and what that says of Ratchet: ratings, quality, follow-ups."""

from typing import Annotated

from fastapi import APIRouter, Query

from ratchet.desk.learning import LONGEST_DAYS
from ratchet.desk.learning_contract import SignState
from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.ports import Page
from ratchet.domain.prevention import Owed
from ratchet.domain.quality import Origin, Quality
from ratchet.domain.rating import Rating
from ratchet.gateway.access import Activate, OperatePerson, Read
from ratchet.gateway.bodies import SignBody, SuggestBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["learning"], responses=REFUSED)
Days = Annotated[int, Query(ge=1, le=LONGEST_DAYS)]


@router.post("/incidents/{reference}/rate")
def rate(desk: OperatePerson, reference: Reference, rating: Rating) -> IncidentView:
    """Say what an incident really was, and whether Ratchet helped; of several ratings the last counts."""
    return desk.learning.rate(reference, rating)


@router.get("/quality")
def quality(desk: Read, since_days: Days = 30, origin: Origin = "production") -> Quality:
    """Show how good Ratchet was over the last days, what missed its goal, and what would help."""
    return desk.learning.quality(since_days, origin)


@router.post("/quality/suggest", status_code=201)
def suggest(desk: Activate, body: SuggestBody) -> PlaybookView:
    """Draft a series whose likelihoods are corrected by what people confirmed."""
    return desk.learning.suggest(body.series)


@router.get("/followups")
def follow_ups(desk: Read, state: SignState | None = None, since_days: Days = 365) -> Page[Owed]:
    """List what is to be done so that incidents do not come again, newest first."""
    return Page[Owed](items=tuple(desk.learning.follow_ups(state, since_days)))


@router.post("/followups/{reference}/sign")
def sign(desk: OperatePerson, reference: Reference, body: SignBody) -> Owed:
    """Sign a follow-up such as `INC-4.1`: done, will not be done, open again."""
    return desk.learning.sign(reference, body.state, body.reason)

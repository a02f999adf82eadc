"""The life of versions: history, review, backtest, what comes from outside, and what worked in an incident."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ratchet.desk.vault_views import (
    Arrival,
    Arrived,
    BundleRequest,
    BundleView,
    Examination,
    HistoryLine,
    ReviewLine,
    Started,
)
from ratchet.desk.views import PlaybookView
from ratchet.domain.backtest import Backtest
from ratchet.domain.diff import Difference
from ratchet.domain.noun import Noun
from ratchet.domain.ports import Page
from ratchet.gateway.access import Activate, Operate, Read
from ratchet.gateway.bodies import ReasonBody, WhyBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["vault"], responses=REFUSED)


class TraceBody(Noun):
    """Whose trace a draft is made of."""

    incident: str = Field(min_length=1, max_length=100)


class RunBody(Noun):
    """Where a playbook is followed."""

    target: str = Field(min_length=1, max_length=100)


class BacktestBody(Noun):
    """How far back is replayed; without a moment, everything."""

    since: datetime | None = None


@router.post("/fleet/playbooks", status_code=201)
def bring(desk: Activate, arrival: Arrival) -> Arrived:
    """Import a text as a draft: our own form, Markdown, Ansible, Rundeck or CACAO v2."""
    return desk.vault.bring(arrival)


@router.post("/fleet/playbooks/from-trace", status_code=201)
def draft_from(desk: Operate, body: TraceBody) -> PlaybookView:
    """Draft what worked in an incident."""
    return desk.vault.draft_from(body.incident)


@router.get("/fleet/playbooks/{reference}/diff")
def difference(desk: Read, reference: Reference, against: str = "") -> Difference:
    """Show what a version changes, what may harm first."""
    return desk.vault.difference(reference, against)


@router.get("/fleet/playbooks/{reference}/review")
def examine(desk: Read, reference: Reference) -> Examination:
    """Show all that speaks for and against a version."""
    return desk.vault.examine(reference)


@router.post("/fleet/playbooks/{reference}/backtest")
def backtest(desk: Operate, reference: Reference, body: BacktestBody | None = None) -> Backtest:
    """Replay a version over the recorded evidence of past incidents."""
    return desk.vault.backtest(reference, body.since if body else None)


@router.post("/fleet/playbooks/{reference}/draft", status_code=201)
def new_draft(desk: Activate, reference: Reference, body: ReasonBody | None = None) -> PlaybookView:
    """Make a draft with a version's text."""
    return desk.vault.new_draft(reference, body.reason if body else "")


@router.post("/fleet/playbooks/{reference}/retire")
def retire(desk: Activate, reference: Reference, body: WhyBody) -> PlaybookView:
    """Take the active version out of use."""
    return desk.vault.retire(reference, body.reason)


@router.post("/fleet/playbooks/{reference}/run", status_code=202)
def run(desk: Operate, reference: Reference, body: RunBody) -> Started:
    """Follow an active playbook on a target; every change still asks a person."""
    return desk.vault.run(reference, body.target)


@router.get("/fleet/series/{series}/history")
def history(desk: Read, series: Annotated[str, Field(max_length=100)]) -> Page[HistoryLine]:
    """List everything that happened in a series, oldest first."""
    return Page(items=tuple(desk.vault.history(series)))


@router.get("/fleet/reviews")
def reviews(desk: Read, limit: Annotated[int, Query(ge=1, le=1000)] = 1000) -> Page[ReviewLine]:
    """List what a person should look at, the most pressing first."""
    return Page(items=tuple(desk.vault.reviews()[:limit]))


@router.post("/incidents/bundle")
def create_incident_bundle(desk: Operate, request: BundleRequest) -> BundleView:
    """Say how an incident ended; `resolved` drafts what worked."""
    return desk.vault.create_incident_bundle(request)

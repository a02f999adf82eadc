"""The vault: versions, drafts and their life, under the addresses that fleet programs know."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.noun import Noun
from ratchet.gateway.access import Activate, Read
from ratchet.gateway.bodies import REASON, DraftChange, LintBody, ReasonBody
from ratchet.gateway.problem import REFUSED
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["playbooks"], responses=REFUSED)


class Playbooks(Noun):
    """The list under the key that fleet programs read."""

    playbooks: tuple[PlaybookView, ...]


@router.get("/fleet/playbooks")
def playbooks(desk: Read, source: str | None = None, series: str | None = None) -> Playbooks:
    """List all versions, by series, newest version first."""
    return Playbooks(playbooks=tuple(desk.playbooks(source=source, series=series)))


@router.get("/fleet/playbooks/{reference}")
def playbook(desk: Read, reference: Reference) -> PlaybookView:
    """Show one version, by id, by `series@version`, or a series' active one."""
    return desk.playbook(reference)


@router.put("/fleet/playbooks/{reference}")
def edit(desk: Activate, reference: Reference, change: DraftChange) -> PlaybookView:
    """Change a draft's guidance, owner or whole text."""
    return desk.edit(reference, change.model_dump(exclude_none=True))


@router.delete("/fleet/playbooks/{reference}", status_code=204)
def discard(desk: Activate, reference: Reference, reason: Annotated[str, Query(max_length=REASON)] = "") -> None:
    """Throw a draft away."""
    desk.discard(reference, reason)


@router.post("/fleet/playbooks/{reference}/activate")
def activate(desk: Activate, reference: Reference, body: ReasonBody | None = None) -> PlaybookView:
    """Make a draft the active version."""
    return desk.activate(reference, body.reason if body else "")


@router.post("/playbooks/lint")
def lint(desk: Read, body: LintBody) -> LintView:
    """Find every mistake in a playbook text at once."""
    return desk.lint(body.text, body.where)


@router.get("/playbooks/{reference}/render", response_class=PlainTextResponse)
def render(desk: Read, reference: Reference) -> PlainTextResponse:
    """Show a version as a Markdown page."""
    return PlainTextResponse(desk.render(reference), media_type="text/markdown")

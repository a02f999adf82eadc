"""The vault: versions, drafts and their life, under the addresses that fleet programs know."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse

from ratchet.desk.vault_views import PageForm
from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.errors import Outdated
from ratchet.domain.noun import Noun
from ratchet.gateway.access import Activate, Read
from ratchet.gateway.bodies import REASON, ActivateBody, DraftChange, LintBody
from ratchet.gateway.problem import REFUSED, Rejected
from ratchet.gateway.routes_incidents import Reference

router = APIRouter(prefix="/api/v1", tags=["playbooks"], responses=REFUSED)


IfMatch = Annotated[str | None, Header(max_length=200)]
"""The ETag that was read, or `*`."""


def _named(if_match: str | None) -> str:
    """The digest within an If-Match, `*`, or nothing."""
    return (if_match or "").strip().strip('"')


@contextmanager
def _as_412(expected: str) -> Generator[None]:
    """Whoever sent If-Match is answered in its own terms."""
    try:
        yield
    except Outdated as no:
        if expected:
            raise Rejected(412, no.message, no.remedy, no.code) from None
        raise


class Playbooks(Noun):
    """The list under the key that fleet programs read."""

    playbooks: tuple[PlaybookView, ...]


@router.get("/fleet/playbooks")
def playbooks(desk: Read, source: str | None = None, series: str | None = None) -> Playbooks:
    """List all versions, by series, newest version first."""
    return Playbooks(playbooks=tuple(desk.playbooks(source=source, series=series)))


@router.get("/fleet/playbooks/{reference}")
def playbook(desk: Read, reference: Reference, response: Response) -> PlaybookView:
    """Show one version, by id, by `series@version`, or a series' active one; its digest is the ETag."""
    view = desk.playbook(reference)
    response.headers["ETag"] = f'"{view.digest}"'
    return view


@router.put("/fleet/playbooks/{reference}")
def edit(
    desk: Activate, reference: Reference, change: DraftChange, response: Response, if_match: IfMatch = None
) -> PlaybookView:
    """Change a draft's guidance, owner, team or whole text; with If-Match only what was read is changed."""
    expected = _named(if_match)
    with _as_412(expected):
        view = desk.vault.edit(reference, change.model_dump(exclude_none=True), expected)
    response.headers["ETag"] = f'"{view.digest}"'
    return view


@router.delete("/fleet/playbooks/{reference}", status_code=204)
def discard(desk: Activate, reference: Reference, reason: Annotated[str, Query(max_length=REASON)] = "") -> None:
    """Throw a draft away."""
    desk.discard(reference, reason)


@router.post("/fleet/playbooks/{reference}/activate")
def activate(
    desk: Activate, reference: Reference, body: ActivateBody | None = None, if_match: IfMatch = None
) -> PlaybookView:
    """Make a draft the active version. The digest of the text that was read, in the body or as If-Match, is required
    where it takes a second person; 409 (412 with If-Match) when the text is another one by now."""
    said, expected = body or ActivateBody(), _named(if_match)
    with _as_412(expected):
        return desk.activate(reference, said.reason, said.digest or expected)


@router.post("/playbooks/lint")
def lint(desk: Read, body: LintBody) -> LintView:
    """Find every mistake in a playbook text at once."""
    return desk.lint(body.text, body.where)


@router.get("/playbooks/{reference}/render", response_class=PlainTextResponse)
def render(desk: Read, reference: Reference, form: PageForm = "md") -> PlainTextResponse:
    """Show a version as a Markdown page, or as a prompt for a program that reads and proposes."""
    return PlainTextResponse(desk.vault.render(reference, form), media_type="text/markdown")

"""`ratchet vault`: which faults are covered and when that was last proved; drafts, their review, and files."""

from collections.abc import Iterable

import typer

from ratchet.cli.commands import vault_files, vault_review
from ratchet.cli.commands.noun import noun
from ratchet.cli.road import road
from ratchet.cli.show import Column, Form, FormOption, HeaderOption, How, QuietOption, listing, page_of
from ratchet.desk.contract import Desk
from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.fault import Fault
from ratchet.domain.noun import Noun
from ratchet.lab.catalog import load_catalog

app = noun("Which faults are covered; drafts and their review; files in and out.")
vault_review.add(app)
vault_files.add(app)
LOOKED_BACK = 200
"""Drills that are read at most for their last runs."""
NEVER = "(never)"


class Covered(Noun):
    """A fault with the series that should meet it and how its last drill ended."""

    fault: str
    playbook: str
    last_run: str
    status: str
    incident: str | None = None


COLUMNS = (
    Column[Covered]("FAULT", lambda each: each.fault),
    Column[Covered]("PLAYBOOK", lambda each: each.playbook),
    Column[Covered]("LAST RUN", lambda each: each.last_run),
    Column[Covered]("STATUS", lambda each: each.status),
    Column[Covered]("INCIDENT", lambda each: each.incident, wide=True),
)


@app.command("list")
def list_vault(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """Every fault of the catalogue, its playbook, its last drill and how that ended."""
    with road(context) as here:
        catalog = load_catalog([place / "faults" for place in here.settings.overlays])
        playbooks = here.desk.playbooks()
        runs = last_runs(here.desk, set(catalog.faults))
    found = [covered(fault, playbooks, runs.get(fault.id)) for _, fault in sorted(catalog.faults.items())]
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


def last_runs(desk: Desk, faults: set[str]) -> dict[str, IncidentView]:
    """The newest drill of each fault."""
    found: dict[str, IncidentView] = {}
    for line in desk.incidents(limit=LOOKED_BACK).items:
        if line.origin != "drill" or found.keys() >= faults:
            continue
        view = desk.incident(line.id)
        if view.fault is not None:
            found.setdefault(view.fault, view)
    return found


def covered(fault: Fault, playbooks: Iterable[PlaybookView], run: IncidentView | None) -> Covered:
    """One row; a series that nobody has, or that has no active version, says so instead of a status."""
    series = [each for each in playbooks if each.series_id == fault.spec.series]
    status = "-" if run is None else ended(fault, run)
    if not series:
        status = "PLAYBOOK NOT FOUND"
    elif not any(each.is_active for each in series):
        status = "NO PLAYBOOK"
    day = run.opened_at.date().isoformat() if run is not None and run.opened_at is not None else NEVER
    return Covered(
        fault=fault.id, playbook=fault.spec.series, last_run=day, status=status, incident=run.id if run else None
    )


def ended(fault: Fault, run: IncidentView) -> str:
    """PASS: the right cause, and a recovery that was proved; a drill that is still under way has no status."""
    if run.status not in ("resolved", "escalated", "closed", "held"):
        return "-"
    proved = run.verification is not None and run.verification.passed is True
    return "PASS" if run.status == "resolved" and proved and run.cause == fault.spec.cause else "FAIL"

"""`ratchet playbook`: certifying a text, and the certificates that there are."""

from typing import Annotated

import typer

from ratchet.cli.exits import BAD_ANSWER, LEFT_OVER
from ratchet.cli.faults.certification import Course, certify, course_of
from ratchet.cli.faults.told import lined
from ratchet.cli.road import given_by, road, settings_of
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    document,
    listing,
    out,
    page_of,
    say,
)
from ratchet.cli.words import clean, day
from ratchet.domain.certificate import Certificate, Proof, Tried

COLUMNS = (
    Column[Proof]("CERTIFICATE", lambda each: each.certificate.id),
    Column[Proof]("SERIES", lambda each: each.certificate.series),
    Column[Proof]("COUNTS", lambda each: "yes" if each.counts else f"no: {each.because}"),
    Column[Proof]("ENVIRONMENT", lambda each: each.certificate.environment),
    Column[Proof]("EXPIRES", lambda each: day(each.certificate.expires_at)),
    Column[Proof]("PASSED", lambda each: ",".join(each.certificate.passed), wide=True),
    Column[Proof]("FAILED", lambda each: ",".join(each.certificate.failed), wide=True),
    Column[Proof]("FAULTS", lambda each: ",".join(each.certificate.faults), wide=True),
    Column[Proof]("DIGEST", lambda each: each.certificate.playbook_digest, wide=True),
)
NOT_BORNE_OUT = "passed here, but the kept runs and their incidents do not bear it out"

_commands = typer.Typer()


def add(app: typer.Typer) -> None:
    """Put these commands under their noun."""
    app.registered_commands.extend(_commands.registered_commands)


@_commands.command("certify")
def certify_series(
    context: typer.Context,
    series: Annotated[str, typer.Argument(help="The series whose active text is tried.")],
    seeds: Annotated[int, typer.Option(min=1, max=100, help="So often, with other names each time.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    look_alikes: Annotated[
        int, typer.Option(min=0, max=100, help="Most faults of other series that are tried beside the controls.")
    ] = 6,
    conn: Annotated[
        str | None, typer.Option(help="A registered server tagged chaos; better in FAULTTEST_CONN_STR.")
    ] = None,
    lab: Annotated[bool, typer.Option("--lab", help="In the lab, whatever FAULTTEST_CONN_STR says.")] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Try the active text by drill and certify it for 30 days: exit 0 when all that was tried passed, else 5."""
    settings = settings_of(given_by(context))
    place = None if lab else conn or settings.fault_conn
    course = course_of(settings, series, tuple(range(seed, seed + seeds)), look_alikes)
    certificate = certify(context, course, place)
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(certificate.model_dump(mode="json"), form)
    else:
        tell(course, certificate)
    left = [f"{run.fault}: {run.left}" for run in course.runs if run.left]
    if left:
        say("LEFT BEHIND, a person must look: " + "; ".join(left))
        raise typer.Exit(LEFT_OVER)
    if certificate.failed:
        raise typer.Exit(BAD_ANSWER)


@_commands.command("certificates")
def list_certificates(
    context: typer.Context,
    series: Annotated[str, typer.Option(help="Only of this series.")] = "",
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """All certificates, newest first, and whether each counts now."""
    with road(context) as here:
        found = here.desk.drills.certificates(series)
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


def _row(one: Tried, certificate: Certificate) -> tuple[str, ...]:
    passed = one.part in certificate.passed
    because = NOT_BORNE_OUT if one.passed and not passed else one.because
    return one.part, "PASS" if passed else "FAIL", str(len(one.runs)), clean(because)


def tell(course: Course, certificate: Certificate) -> None:
    """What was tried, what was not, and what it comes to; on standard output."""
    rows = [_row(one, certificate) for one in course.tried]
    rows += [(part, "NOT RUN", "0", clean(why)) for part, why in course.left_out.items()]
    for line in lined(("PART", "RESULT", "RUNS", "BECAUSE"), rows):
        out(line)
    out("")
    if certificate.failed:
        out(f"{certificate.id}: FAILED; earlier certificates of this text in this environment count no more.")
        return
    out(f"{certificate.id}: {certificate.series} is certified until {day(certificate.expires_at)}")
    out(f"  for {certificate.environment}, text {certificate.playbook_digest}")
    if course.untried:
        out(f"  without {', '.join(course.untried)}: not tried here, and no grant that rests on it covers them")

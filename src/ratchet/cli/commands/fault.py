"""`ratchet fault`: cause what the catalogue knows, hand its alert in, and grade what comes of it."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER, LEFT_OVER
from ratchet.cli.faults.batch import Line, left_behind, run_batch
from ratchet.cli.faults.junit import junit
from ratchet.cli.faults.report import report
from ratchet.cli.faults.stand import catalog_of, lease
from ratchet.cli.faults.standing import answer_of, known_lab, known_status, take_back
from ratchet.cli.faults.wish import Batch, Wish, new_batch, read_wish
from ratchet.cli.given import Given
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
from ratchet.config import Settings
from ratchet.domain.accuracy import accuracy
from ratchet.domain.errors import Code, Refusal, invalid
from ratchet.domain.fault import STRENGTHS, Fault, Strength
from ratchet.lab.catalog import Catalog, read_fault

app = noun("Break a server on purpose, hand the alert in, and grade what happens without mercy.")
EXAMPLE = "db-idle-in-transaction"
SEEN_BY_ALL = "Everybody on this machine can read a command line: better give it in the variable"
COLUMNS = (
    Column[Fault]("FAULT", lambda each: each.id),
    Column[Fault]("TITLE", lambda each: each.metadata.title),
    Column[Fault]("PLAYBOOK", lambda each: each.spec.series),
    Column[Fault]("NEEDS", lambda each: ",".join(each.spec.needs)),
    Column[Fault]("CAUSE", lambda each: each.spec.cause, wide=True),
    Column[Fault]("EXPECTS", lambda each: each.spec.expects, wide=True),
    Column[Fault]("REMEDY", lambda each: each.spec.remedy, wide=True),
    Column[Fault]("ALIASES", lambda each: ",".join(each.metadata.aliases), wide=True),
)
Ids = Annotated[list[str] | None, typer.Option("--id", "--ids", help="A fault, by id or alias; may be repeated.")]
Conn = Annotated[
    str | None,
    typer.Option(help=f"A registered server tagged chaos, as its superuser. {SEEN_BY_ALL} FAULTTEST_CONN_STR."),
]


@app.command("list")
def list_faults(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """Every fault of the catalogue, a site's own included."""
    found = [fault for _, fault in sorted(catalog_of(_settings(context)).faults.items())]
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


@app.command("run")
def run(
    context: typer.Context,
    ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="Every fault of the catalogue.")] = False,
    seeds: Annotated[
        int, typer.Option("--seeds", "--repeat", min=1, max=1000, help="So often, with other names each time.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    strength: Annotated[
        Literal["turns", "named", "symptom", "bare", "all"],
        typer.Option(
            help="How much the alert gives away; by turns: the first seed named, the next symptom, then bare."
        ),
    ] = "turns",
    remediate: Annotated[
        bool, typer.Option("--remediate", help="Let the right steps be done, and prove them.")
    ] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="With --remediate: by standing grants alone; nobody answers.")
    ] = False,
    healthy: Annotated[
        bool, typer.Option("--healthy", help="Cause nothing: only the alerts come, and nothing may be claimed or done.")
    ] = False,
    lab: Annotated[bool, typer.Option("--lab", help="In the lab; so it is without --conn.")] = False,
    conn: Conn = None,
    db_agent: Annotated[str | None, typer.Option(help="The same as --gateway, which wins.")] = None,
    judge: Annotated[bool, typer.Option("--judge", help="Let a model judge too, where one can be reached.")] = False,
    judge_vendor: Annotated[str, typer.Option(help="Of the judging model.")] = "",
    judge_model: Annotated[str, typer.Option(help="Which model judges.")] = "",
    judge_api_key: Annotated[str, typer.Option(help=f"Its key. {SEEN_BY_ALL} of its vendor.")] = "",  # noqa: ARG001
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML there.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write the page of figures there.")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with an interrupted batch.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Cause faults one after the other and grade each: exit 0 when all is right, 5 when not, 70 when one stays."""
    _use_agent(context, db_agent)
    for path in (junit_file, write):
        if path is not None and not path.absolute().parent.is_dir():
            raise invalid(f"{path} is in a directory that does not exist.", "Make the directory first.")
    if unattended and not remediate:
        raise invalid("--unattended says who lets the steps be done, and none are to be.", "Add --remediate.")
    settings = _settings(context)
    catalog = catalog_of(settings)
    wish = read_wish(settings.home, resume) if resume else None
    if wish is None:
        strengths: tuple[Strength, ...] = STRENGTHS if strength in ("all", "turns") else (strength,)
        wish = Wish(
            batch=new_batch(), faults=_chosen(catalog, ids, (every, healthy)), seeds=tuple(range(seed, seed + seeds)),
            strengths=strengths, turns=strength == "turns",
            remediate=remediate, unattended=unattended, healthy=healthy,
            judge=_judge(judge, f"{judge_vendor} {judge_model}".strip()),
        )  # fmt: skip
    line = Line(context, _now, form, None if lab else conn or settings.fault_conn)
    batch = run_batch(line, wish, [catalog.find(name) for name in wish.faults])
    if junit_file is not None:
        junit_file.write_text(junit(wish.batch, batch.runs, batch.skipped), encoding="utf-8")
    if write is not None:
        write.write_text(report(batch.runs, batch.skipped, _as_typed(wish)), encoding="utf-8")
    _end(batch, form)


@app.command("inject")
def inject(
    context: typer.Context,
    fault: Annotated[str, typer.Argument(metavar="ID", help="A fault, by id or alias.")],
    seed: Annotated[int, typer.Option(min=0, help="Other names for another number.")] = 1,
    form: FormOption = Form.TABLE,
) -> None:
    """Cause a fault in the lab that is up, and leave it until `fault teardown` or the end of its time."""
    settings = _settings(context)
    found = catalog_of(settings).find(fault)
    with lease(settings):
        caused = known_lab(settings.home).cause(found, seed)
    body = {"fault": found.id, **caused.model_dump(mode="json"), "ends_after_seconds": found.spec.ttl}
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(body, form)
    else:
        objects = ", ".join(f"{each.kind} {each.id}" for each in caused.objects) or "no object"
        out(f"{found.id} is caused ({caused.label}): {objects}. It ends by itself after {found.spec.ttl:.0f}s.")
        say("Take it back: ratchet fault teardown")
    if not caused.took:
        raise Refusal(Code.FAILED, f"{found.id} did not take.", "Take it back: ratchet fault teardown")


@app.command("teardown")
def teardown(
    context: typer.Context,
    label: Annotated[str, typer.Option(help="Of one fault that is in effect; all that is caused without it.")] = "",
    incident: Annotated[str | None, typer.Option(help="End the drill of this incident too.")] = None,
) -> None:
    """Take back what is caused in the lab; exit 70 where something stays."""
    if incident is not None:
        with road(context) as here:
            here.desk.drills.end(incident, "taken back by hand")
    left = take_back(_settings(context).home, label)
    if left:
        say(f"LEFT BEHIND: {left}")
        raise typer.Exit(LEFT_OVER)
    out("Nothing is caused in the lab any more." if not label else f"{label} is taken back.")


@app.command("status")
def status(context: typer.Context, form: FormOption = Form.TABLE) -> None:
    """What is caused now, and which drills are under way."""
    with road(context) as here:
        body = known_status(here.settings.home, here.desk)
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(body, form)
        return
    for text in answer_of(body):
        out(text)


@app.command("validate")
def validate(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(help="Fault files; the whole catalogue without any.")] = None,
) -> None:
    """Show every mistake in fault files at once (exit 5 where there are any)."""
    if not paths:
        out(f"{len(catalog_of(_settings(context)).faults)} faults, no mistakes.")
        return
    wrong = 0
    for path in paths:
        if not path.is_file():
            raise invalid(f"{path} is not a file.", "Name files that end in .fault.yaml.")
        _, mistakes = read_fault(path)
        wrong += len(mistakes)
        for mistake in mistakes:
            out(str(mistake))
    out(f"{len(paths)} files, {wrong or 'no'} mistakes.")
    if wrong:
        raise typer.Exit(BAD_ANSWER)


@app.command("example")
def example() -> None:
    """Print a whole fault file, to begin one's own with; save it as ID.fault.yaml in a site's `faults` directory."""
    place = files("ratchet").joinpath("library", "faults", f"{EXAMPLE}.fault.yaml")
    out(place.read_text(encoding="utf-8").rstrip())


def _chosen(catalog: Catalog, ids: list[str] | None, how: tuple[bool, bool]) -> tuple[str, ...]:
    """The ids; of all faults, those that have something to cause where nothing is to be caused."""
    every, healthy = how
    if every and ids:
        raise invalid("--all and --id say different things.", "Give one of them.")
    named = [part for each in ids or () for part in each.split(",") if part]
    if not every and not named:
        raise invalid("No fault is named.", "Give --id ID (they are listed by: ratchet fault list), or --all.")
    found = [catalog.faults[name] for name in sorted(catalog.faults)] if every else map(catalog.find, named)
    return tuple(dict.fromkeys(fault.id for fault in found if not (healthy and every and fault.spec.control)))


def _judge(wanted: bool, who: str) -> str:
    if not wanted:
        return "no judge was asked for"
    return f"no model judges in this release ({who or 'none was named'}); the grade is by evidence alone"


def _use_agent(context: typer.Context, db_agent: str | None) -> None:
    given = given_by(context)
    if db_agent and not given.url:
        context.obj = Given(db_agent, given.token_file, given.home, given.api_key, given.debug, given.json_errors)


def _as_typed(wish: Wish) -> str:
    strength = "turns" if wish.turns else "all" if len(wish.strengths) > 1 else "".join(wish.strengths)
    flags = {"--healthy": wish.healthy, "--remediate": wish.remediate, "--unattended": wish.unattended}
    said = "".join(f" {flag}" for flag, given in flags.items() if given)
    return f"ratchet fault run ...{said} --seeds {len(wish.seeds)} --strength {strength}"


def _end(batch: Batch, form: Form) -> None:
    if form in (Form.JSON, Form.YAML):
        body = {
            "batch": batch.wish.batch, "runs": [each.model_dump(mode="json") for each in batch.runs],
            "skipped": [{"fault": name, "because": why} for name, why in batch.skipped],
            "accuracy": accuracy(batch.runs).model_dump(mode="json"),
        }  # fmt: skip
        document(body, form)
    if left := left_behind(batch.runs, batch.stays):
        say(left)
        raise typer.Exit(LEFT_OVER)
    good = "pass" if batch.wish.remediate else "diagnosed"
    if not batch.runs or any(each.verdict != good for each in batch.runs):
        raise typer.Exit(BAD_ANSWER)


def _settings(context: typer.Context) -> Settings:
    return settings_of(given_by(context))


def _now() -> datetime:
    return datetime.now(UTC)

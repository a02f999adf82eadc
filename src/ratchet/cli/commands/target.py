"""`ratchet target`: what Ratchet looks after, with credentials by reference only."""

from enum import StrEnum
from typing import Annotated, Literal

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.pages.target import in_order, missing_lines, report_page
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    document,
    listing,
    page_of,
    show_page,
    single,
)
from ratchet.desk.views import TargetReport, TargetRequest, TargetView
from ratchet.domain.errors import invalid
from ratchet.domain.target import HostControl, SecretRef, Target

app = noun("Register what Ratchet looks after. Credentials are named, never given: no password ever stands in a line.")
COLUMNS = (
    Column[TargetView]("TARGET", lambda each: each.name),
    Column[TargetView]("KIND", lambda each: each.kind),
    Column[TargetView]("ADDRESS", lambda each: each.address),
    Column[TargetView]("TAGS", lambda each: ",".join(each.tags)),
    Column[TargetView]("OWNER", lambda each: each.owner),
    Column[TargetView]("REPLICA OF", lambda each: each.replica_of),
    Column[TargetView]("POOLER OF", lambda each: each.pooler_of, wide=True),
    Column[TargetView]("DIAG", lambda each: each.diag, wide=True),
    Column[TargetView]("ACT", lambda each: each.act, wide=True),
    Column[TargetView]("CANARY", lambda each: each.canary, wide=True),
)
_VARIABLE = "Variable with the connection string. With --url it is a variable of the server, not of this shell."
_FILE = "File (mode 0600) with the connection string. With --url it is a file on the server."


class Further(StrEnum):
    """Rights beyond the least; an enumeration, because typer takes no list of literals."""

    SLOTS = "slots"
    LOG = "log"
    ROLE_SETTINGS = "role_settings"


@app.command("add")
def add(
    context: typer.Context,
    name: str,
    owner: Annotated[str, typer.Option(help="Who answers for it, such as user:default/ana.")],
    kind: Annotated[Literal["postgres", "host"], typer.Option(help="What it is.")] = "postgres",
    diag_dsn_env: Annotated[str | None, typer.Option(help=f"Login that only reads. {_VARIABLE}")] = None,
    diag_dsn_file: Annotated[str | None, typer.Option(help=_FILE)] = None,
    act_dsn_env: Annotated[
        str | None, typer.Option(help=f"Login that acts, inside a granted step. {_VARIABLE}")
    ] = None,
    act_dsn_file: Annotated[str | None, typer.Option(help=_FILE)] = None,
    canary_dsn_env: Annotated[str | None, typer.Option(help=f"An ordinary login, as a user's. {_VARIABLE}")] = None,
    canary_dsn_file: Annotated[str | None, typer.Option(help=_FILE)] = None,
    provision: Annotated[bool, typer.Option("--provision", help="Make both roles with the least rights.")] = False,
    admin_dsn_env: Annotated[str | None, typer.Option(help=f"Admin login, for --provision only. {_VARIABLE}")] = None,
    allow: Annotated[list[Further] | None, typer.Option(help="A further right to provide.")] = None,
    replica_of: Annotated[str | None, typer.Option(help="The target that it replicates.")] = None,
    pooler_of: Annotated[str | None, typer.Option(help="The target that it pools for.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; chaos allows faults to be caused here.")] = None,
    pg_ctl: Annotated[str | None, typer.Option(help="Path of pg_ctl, to start a stopped server.")] = None,
    pg_data: Annotated[str | None, typer.Option(help="Its data directory.")] = None,
    run_as: Annotated[str | None, typer.Option(help="The account that owns the files.")] = None,
    pg_backup: Annotated[str | None, typer.Option(help="Directory of its newest base backup, to be looked at.")] = None,
    pg_archive: Annotated[str | None, typer.Option(help="Directory of its archived WAL, to be looked at.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Register a target, make its roles when asked, and say what it still lacks (exit 5 when it cannot do without)."""
    admin = _reference("admin", admin_dsn_env, None)
    if provision != (admin is not None):
        raise invalid(
            "--provision and --admin-dsn-env belong together.",
            "Give both to have the roles made, or neither to use roles that exist.",
        )
    target = Target(
        name=_name(name), kind=kind, owner=owner, tags=tuple(tag or ()), replica_of=replica_of, pooler_of=pooler_of,
        diag=_reference("diag", diag_dsn_env, diag_dsn_file), act=_reference("act", act_dsn_env, act_dsn_file),
        canary=_reference("canary", canary_dsn_env, canary_dsn_file),
        host_control=_control((pg_ctl, pg_data, run_as), pg_backup or "", pg_archive or ""),
    )  # fmt: skip
    with road(context) as here:
        report = here.desk.add_target(TargetRequest(target=target, admin=admin, allow=tuple(allow or ())))
    single(report, lambda: report_page(report), form, f"target/{report.target.name}")
    _end(report)


@app.command("list")
def list_targets(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """All registered targets."""
    with road(context) as here:
        found = here.desk.targets()
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


@app.command("check")
def check(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One target; all without it.")] = None,
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Say what is missing, the line that grants it and what the playbooks lose; exit 5 unless it is optional."""
    with road(context) as here:
        names = [name] if name is not None else [each.name for each in here.desk.targets()]
        reports = [here.desk.check_target(each) for each in names]
    match form:
        case _ if quiet:
            listing(reports, MISSING, How(form, quiet), {})
        case Form.JSON | Form.YAML:
            document(reports[0].model_dump(mode="json") if name else page_of(reports), form)
        case Form.JSONL | Form.NAME | Form.MD:
            listing(reports, MISSING, How(form, quiet), {})
        case _:
            show_page([block for report in reports for block in report_page(report)])
    for report in reports:
        _end(report)


MISSING = (
    Column[TargetReport]("TARGET", lambda each: each.target.name),
    Column[TargetReport]("ANSWER", lambda each: each.answer),
    Column[TargetReport]("MISSING", lambda each: "; ".join(missing_lines(each))),
)


def _end(report: TargetReport) -> None:
    if not in_order(report):
        raise typer.Exit(BAD_ANSWER)


def _name(name: str) -> str:
    words = name.replace(".", "").replace("-", "").replace("_", "")
    if not (words.isascii() and words.isalnum() and name[0].isalnum() and len(name) <= 63):
        raise invalid(f"{name[:70]!r} cannot be the name of a target.", "Use letters, digits and . _ -, 63 at most.")
    return name


def _reference(role: str, variable: str | None, file: str | None) -> SecretRef | None:
    if variable and file:
        raise invalid(f"The {role} login is named twice.", f"Give --{role}-dsn-env or --{role}-dsn-file.")
    given = variable or file
    if not given:
        return None
    ref = SecretRef(kind="env" if variable else "file", name=given)
    if ref.wrong:
        raise invalid(
            f"--{role}-dsn-{ref.kind} {ref.wrong}.",
            "Put the connection string into a variable or a file of mode 0600 and name that; a command line can be read"
            " by everybody on the machine.",
        )
    return ref


def _control(start: tuple[str | None, str | None, str | None], backup: str, archive: str) -> HostControl | None:
    pg_ctl, pg_data, run_as = start
    if pg_ctl and pg_data and run_as:
        return HostControl(pg_ctl=pg_ctl, pg_data=pg_data, run_as=run_as, backup=backup, archive=archive)
    if pg_ctl or pg_data or run_as or backup or archive:
        raise invalid("A server is started with three words.", "Give --pg-ctl, --pg-data and --run-as together.")
    return None

"""`ratchet audit`: whether the record holds, and what is in it."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

import typer

from ratchet.cli import known_keys
from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.page import Block, Line, field
from ratchet.cli.road import given_by, road, settings_of
from ratchet.cli.show import Column, Form, FormOption, HeaderOption, How, listing, out, say, single
from ratchet.cli.words import day
from ratchet.desk.bundle_check import BundleReport, check_bundle, manifest_of
from ratchet.domain.audit import AuditEntry, AuditKey, AuditReport, ChainBroken
from ratchet.domain.audit_forms import Form as ExportForm
from ratchet.domain.audit_forms import record
from ratchet.domain.audit_objects import object_of
from ratchet.domain.errors import invalid
from ratchet.security.chain import link, read_key

app = noun("Prove that the record holds, and take it out.")
_SPAN = re.compile(r"(\d{1,6})([smhdwy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
COLUMNS = (
    Column[AuditEntry]("POSITION", lambda each: each.position),
    Column[AuditEntry]("TIME", lambda each: day(each.at)),
    Column[AuditEntry]("BY", lambda each: each.by),
    Column[AuditEntry]("EVENT", lambda each: each.kind),
    Column[AuditEntry]("OF", lambda each: object_of(each, each.body).name),
    Column[AuditEntry]("REASON", lambda each: record(each).get("reason")),
    Column[AuditEntry]("OBJECT", lambda each: object_of(each, each.body).line, wide=True),
    Column[AuditEntry]("HASH", lambda each: each.mac, wide=True),
)


@app.command("verify")
def verify(
    context: typer.Context,
    bundle: Annotated[Path | None, typer.Argument(help="An incident bundle; without it, the record itself.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Every event, not only those since the last seal.")] = False,
    key: Annotated[Path | None, typer.Option("--key", help="File with the public key that must have signed.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Whether anything was changed, taken out, swapped or cut off: exit 0 when it holds, 5 when it does not."""
    if bundle is not None:
        _verify_bundle(context, bundle, key, form)
        return
    try:
        with road(context) as here:
            report = here.desk.audit_verify(full=full)
    except ChainBroken as broken:
        report = broken.report
    single(report, lambda: _report(report), form, f"chain/{report.head[:12]}")
    if not report.ok:
        raise typer.Exit(BAD_ANSWER)


def _report(report: AuditReport) -> list[Block]:
    if not report.ok:
        return [
            field("BROKEN", Line(report.because, "bad"), tone="bad"),
            field("FIRST BAD", str(report.first_bad)),
            field("NEXT", "Keep a copy of the state directory, stop acting, and find out who changed it."),
        ]
    walked = report.events - report.sealed
    below = f"; the {report.sealed} before them lie under a seal (--full walks them, too)" if report.sealed else ""
    return [field("WHOLE", Line(f"{report.events} events", "good")), field("WALKED", f"{walked} events{below}")]


def _verify_bundle(context: typer.Context, path: Path, pinned: Path | None, form: Form) -> None:
    """The signature by the expected key if one is known, and the chain where its key lies in this home."""
    home = settings_of(given_by(context), token=False).home
    try:
        content = path.read_bytes()
        chain = str(manifest_of(content).get("chain", ""))
        expected = known_keys.expected(home, chain, pinned)
    except OSError as error:
        raise invalid(f"{error.filename} cannot be read: {error.strerror}.", "Name another file.") from None
    ours = bool(chain) and known_keys.own_chain(home) == chain and (home / "key").exists()
    report = check_bundle(content, expected, partial(link, read_key(home / "key")) if ours else None)
    single(report, lambda: _bundle_report(report), form, f"bundle/{report.incident}")
    if not report.ok:
        raise typer.Exit(BAD_ANSWER)
    if expected is None and known_keys.remember(home, report.chain, report.public_key):
        say(f"The key of this house was not known and is kept from now on; compare it: {report.fingerprint}")


def _bundle_report(report: BundleReport) -> list[Block]:
    if not report.ok:
        first = [field("FIRST BAD", f"event {report.first_bad} of the incident")] if report.first_bad else []
        return [field("BROKEN", Line(report.because, "bad"), tone="bad"), *first]
    signed = "by the key that is known for it" if report.pinned else "by the key in the file, which nobody vouched for"
    chain = "checked with the key of this home" if report.chain_checked else "not checked: its key stays in the house"
    return [
        field("WHOLE", Line(f"{report.incident}, {report.events} events", "good")),
        field("SIGNED", f"{signed}: {report.fingerprint}"),
        field("CHAIN", chain),
    ]


@app.command("tail")
def tail(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="So many, newest last.")] = 20,
    form: FormOption = Form.TABLE,
    header: HeaderOption = False,
) -> None:
    """The newest entries of the audit trail."""
    with road(context) as here:
        found = here.desk.audit_tail(limit=limit)
    listing(found.items[::-1], COLUMNS, How(form, header=header), found.model_dump(mode="json"))


@app.command("export")
def export(
    context: typer.Context,
    form: Annotated[str, typer.Option("-o", "--output", help="jsonl, ocsf or cef.")] = "jsonl",
    since: Annotated[str | None, typer.Option(help="From here on: 90d, 12h or 2026-11-20T02:03:04Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to here, exclusive; written in the same way.")] = None,
) -> None:
    """The audit trail, a line per event, oldest first."""
    chosen = next((each for each in get_args(ExportForm) if each == form), None)
    if chosen is None:
        raise invalid(f"{form!r} is not a form of export.", f"Choose {', '.join(get_args(ExportForm))}.")
    now = datetime.now(UTC)
    with road(context) as here:
        for line in here.desk.audit_export(chosen, since=_moment(since, now), until=_moment(until, now)):
            out(line)


@app.command("key")
def key(context: typer.Context, form: FormOption = Form.TABLE) -> None:
    """The public key of this house, alone on stdout: give it to whoever checks bundles."""
    with road(context) as here:
        found = here.desk.audit_key()
    if form is not Form.TABLE:
        single(found, lambda: _key_page(found), form, f"key/{found.fingerprint}")
        return
    out(found.public)
    say(f"Fingerprint {found.fingerprint}, of chain {found.chain}.")


def _key_page(found: AuditKey) -> list[Block]:
    return [field("KEY", found.public), field("FINGERPRINT", found.fingerprint), field("CHAIN", found.chain)]


def _moment(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return now - timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise invalid(f"{text!r} is not a moment.", "Write it as 90d, 12h or 2026-11-20T02:03:04Z.") from None
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)

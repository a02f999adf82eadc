"""`ratchet playbook`: the texts that decide, read and kept by people."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ratchet.cli.ask import confirm, reason_for, someone_is_there
from ratchet.cli.commands import playbook_certify
from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.pages.playbook import playbook_page
from ratchet.cli.pages.vault import examination_page
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    YesOption,
    document,
    json_line,
    listing,
    markdown_text,
    out,
    page_of,
    say,
    single,
)
from ratchet.cli.table import TERMINAL, load
from ratchet.cli.words import clean, clean_lines, day
from ratchet.desk.vault_views import Examination
from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.errors import invalid

app = noun("Read, keep and certify playbooks.")
playbook_certify.add(app)
COLUMNS = (
    Column[PlaybookView]("PLAYBOOK", lambda each: each.id),
    Column[PlaybookView]("SERIES", lambda each: each.series_id),
    Column[PlaybookView]("VERSION", lambda each: each.version),
    Column[PlaybookView]("STATE", lambda each: each.state),
    Column[PlaybookView]("SOURCE", lambda each: each.source),
    Column[PlaybookView]("NAME", lambda each: each.name),
    Column[PlaybookView]("TITLE", lambda each: each.title, wide=True),
    Column[PlaybookView]("CREATED", lambda each: day(each.created_at), wide=True),
)
Reference = Annotated[
    str, typer.Argument(metavar="ID", help="An id, a series (its active version), or SERIES@VERSION.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded.")]
DigestOption = Annotated[
    str, typer.Option(help="The digest of the text that was read, as `ratchet vault diff` ends with it.")
]


@app.command("list")
def list_playbooks(
    context: typer.Context,
    source: Annotated[
        Literal["system", "manual", "imported", "generated"] | None, typer.Option(help="Only from there.")
    ] = None,
    series: Annotated[str | None, typer.Option(help="Only this series.")] = None,
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """All versions, by series, newest first."""
    with road(context) as here:
        found = here.desk.playbooks(source=source, series=series)
    listing(found, COLUMNS, How(form, quiet, header), page_of(found, "playbooks"))


@app.command("show")
def show(
    context: typer.Context,
    reference: Reference,
    text: Annotated[bool, typer.Option("--text", help="The plain file only, to keep or to edit.")] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """One version with its text."""
    with road(context) as here:
        view = here.desk.playbook(reference)
        proofs = [] if text else here.desk.drills.certificates(view.series_id)
    if text:
        for line in clean_lines(view.text.rstrip()):
            out(line)
        return
    single(view, lambda: playbook_page(view, proofs), form, f"playbook/{view.id}")


@app.command("render")
def render(
    context: typer.Context,
    reference: Reference,
    form: Annotated[
        Literal["md", "prompt"], typer.Option("-o", "--output", help="A page to read, or a prompt for a program.")
    ] = "md",
) -> None:
    """One version as a page to read (in a pipe, as Markdown), or as a prompt that any program can be given."""
    with road(context) as here:
        text = here.desk.vault.render(reference, form)
    markdown_text(text)


@app.command("lint")
def lint(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, or - for stdin.")],
    form: FormOption = Form.TABLE,
) -> None:
    """Every mistake in every file at once, with line and remedy; exit 5 when there is one."""
    texts = [(file, _text(file)) for file in files]
    with road(context) as here:
        found = [here.desk.lint(text, "stdin" if file == "-" else file) for file, text in texts]
    if form in (Form.JSON, Form.YAML):
        document(found[0].model_dump(mode="json") if len(found) == 1 else page_of(found), form)
    else:
        _told(found, form)
    if any(each.mistakes for each in found):
        raise typer.Exit(BAD_ANSWER)


@app.command("activate")
def activate(
    context: typer.Context, reference: Reference, reason: ReasonOption = "", yes: YesOption = False,
    digest: DigestOption = "", form: FormOption = Form.TABLE,
) -> None:  # fmt: skip
    """Make a draft the active version; the next alert meets it. Without --digest it is shown first, on a terminal, and
    what was shown is what becomes active."""
    because = reason_for("activate this", reason)
    question = f"Make {reference} the active version of its series?"
    shown = not (yes or digest) and someone_is_there()
    if not shown:
        confirm(question, yes=yes)
    with road(context) as here:
        if shown:
            digest = _read(here.desk.vault.examine(reference))
            confirm(question, yes=yes)
        view = here.desk.activate(reference, because, digest)
    _answered(view, f"{view.series_id} {view.version} is active.", form)


@app.command("discard")
def discard(context: typer.Context, reference: Reference, reason: ReasonOption = "", yes: YesOption = False) -> None:
    """Throw a draft away; its history stays."""
    confirm(f"Throw draft {reference} away?", yes=yes)
    with road(context) as here:
        here.desk.discard(reference, reason)
    say(f"{reference} is discarded.")


@app.command("edit")
def edit(
    context: typer.Context,
    reference: Reference,
    guidance: Annotated[str | None, typer.Option(help="File with the new guidance, or -.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it, such as user:default/ana.")] = None,
    text: Annotated[str | None, typer.Option(help="File with the whole new text, or -.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Change a draft; its id stays and its revision moves."""
    changes = {
        **({"guidance": _text(guidance)} if guidance else {}),
        **({"owner": owner} if owner else {}),
        **({"text": _text(text)} if text else {}),
    }
    if not changes:
        raise invalid("Nothing is to be changed.", "Give --guidance FILE, --owner user:... or --text FILE.")
    with road(context) as here:
        view = here.desk.edit(reference, changes)
    _answered(view, f"{view.id} is at revision {view.revision}.", form)


def _read(found: Examination) -> str:
    """Show what is to be activated; gives the digest of exactly that text."""
    load(TERMINAL)(sys.stderr).page(examination_page(found))
    return found.playbook.digest


def _answered(view: PlaybookView, words: str, form: Form) -> None:
    if form in (Form.TABLE, Form.WIDE):
        say(words)
    else:
        single(view, lambda: playbook_page(view), form, f"playbook/{view.id}")


def _told(found: list[LintView], form: Form) -> None:
    for each in found:
        for mistake in each.mistakes:
            if form is Form.JSONL:
                json_line(mistake.model_dump(mode="json"))
            else:
                out(clean(str(mistake)))
        if not each.mistakes:
            say(f"{each.where}: no mistakes")


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise invalid(f"{file} is not text in UTF-8.", "Write it in UTF-8.") from None
    except OSError as error:
        raise invalid(f"{file} cannot be read: {error.strerror}.", "Name a file that exists, or -.") from None

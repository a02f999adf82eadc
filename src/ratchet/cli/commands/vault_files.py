"""`ratchet vault`: files out of the vault and into it, and their lint for a pipeline."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from ratchet.cli import git
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.lint_forms import junit, sarif
from ratchet.cli.road import road
from ratchet.cli.show import json_line, out, page_of, say
from ratchet.cli.vault_folder import check_digest, each_text, sums, write_new
from ratchet.cli.words import clean
from ratchet.desk.contract import Desk
from ratchet.desk.vault_views import Arrival
from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.errors import Code, Mistake, Refusal

SUFFIX = ".playbook.yaml"
SUMS = "SHA256SUMS"


class LintForm(StrEnum):
    """How lint is told: to a person, or to what reads a pipeline's results."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    JUNIT = "junit"


FormOption = Annotated[LintForm, typer.Option("-o", "--output", help="How to write the answer.")]


def add(app: typer.Typer) -> None:
    """Give the noun these verbs."""
    for name, command in {"export": export, "import": import_files, "lint": lint}.items():
        app.command(name)(command)


def export(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made when it is missing.")],
    drafts: Annotated[bool, typer.Option("--drafts", help="Drafts too, each with its version in the name.")] = False,
) -> None:
    """Write every active version as a file, byte for byte, with SHA256SUMS beside them. Exit 5 when the text of one is
    not the one that was kept; the others are written."""
    with road(context) as here:
        found = [each for each in here.desk.playbooks() if each.is_active or (drafts and each.state == "draft")]
        kept = {_name(each): _kept(here.desk, each) for each in found}
    texts = {name: text for name, text in kept.items() if text is not None}
    write_new(directory, {**texts, SUMS: sums(texts)})
    say(f"{len(texts)} playbooks are in {directory}.")
    if len(texts) < len(kept):
        raise typer.Exit(BAD_ANSWER)


def import_files(
    context: typer.Context,
    place: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A file, or a directory of files.")],
    form: Annotated[
        Literal["ratchet", "markdown", "ansible", "rundeck", "cacao"] | None,
        typer.Option(help="What the files are; else it is told from each text."),
    ] = None,
    commit: Annotated[str, typer.Option(help="The commit they stand in; else Git is asked.")] = "",
) -> None:
    """Offer files to the vault as drafts; nothing is active or runs as it comes. Exit 5 when one is refused."""
    texts = each_text(place)
    with road(context) as here:
        refused = [file for file, text in texts.items() if not _brought(here.desk, (file, text), form, commit)]
    if refused:
        raise typer.Exit(BAD_ANSWER)


def lint(
    context: typer.Context,
    places: Annotated[list[Path], typer.Argument(metavar="DIR|FILE...", help="Files, or directories of files.")],
    form: FormOption = LintForm.TABLE,
) -> None:
    """Every mistake in every playbook file, with line and remedy; exit 5 when there is one."""
    texts = {file: text for place in places for file, text in each_text(place, SUFFIX).items()}
    with road(context) as here:
        found = [_linted(here.desk, file, text) for file, text in texts.items()]
    for line in _told(found, form):
        out(line)
    if form is LintForm.JSON:
        json_line(page_of(found))
    if any(each.mistakes for each in found):
        raise typer.Exit(BAD_ANSWER)


def _linted(desk: Desk, file: Path, text: str | Refusal) -> LintView:
    """The mistakes of a file; one that cannot be read is one mistake."""
    if isinstance(text, Refusal):
        return LintView(where=str(file), mistakes=(Mistake(where=str(file), message=text.message, remedy=text.remedy),))
    return desk.lint(text, str(file))


def _name(view: PlaybookView) -> str:
    return f"{view.series_id}{'' if view.is_active else f'@{view.version}'}{SUFFIX}"


def _kept(desk: Desk, view: PlaybookView) -> str | None:
    """The text of a version; None, and why, when it is not the one that was kept under its digest."""
    try:
        text = desk.playbook(view.id).text
        check_digest(text, view.digest)
    except Refusal as no:
        if no.code not in (Code.FAILED, Code.INVALID):
            raise
        say(f"{_name(view)}: not written: {clean(no.message)} {clean(no.remedy)}")
        return None
    return text


def _brought(desk: Desk, found: tuple[Path, str | Refusal], form: str | None, commit: str) -> bool:
    file, text = found
    try:
        if isinstance(text, Refusal):
            raise text
        arrival = Arrival.model_validate(
            {"text": text, "where": file.name, "form": form, "commit": commit or git.commit_of(file)}
        )
        arrived = desk.vault.bring(arrival)
    except Refusal as no:
        say(f"{file}: refused: {clean(no.message)} {clean(no.remedy)}")
        for mistake in no.mistakes:
            say(f"  {clean(str(mistake))}")
        return False
    view = arrived.playbook
    word = "a draft" if arrived.new else f"there already ({view.state})"
    out(f"{view.id}\t{view.series_id}@{view.version}\t{word}\t{clean(file)}")
    for note in arrived.notes:
        say(f"  {clean(note)}")
    return True


def _told(found: list[LintView], form: LintForm) -> Iterator[str]:
    match form:
        case LintForm.SARIF:
            yield sarif(found)
        case LintForm.JUNIT:
            yield junit(found)
        case LintForm.JSON:
            return
        case _:
            for each in found:
                for mistake in each.mistakes:
                    yield mistake.model_dump_json() if form is LintForm.JSONL else clean(str(mistake))
                if not each.mistakes:
                    say(f"{each.where}: no mistakes")

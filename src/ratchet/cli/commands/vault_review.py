"""`ratchet vault`: reading, judging and activating drafts, and what is due."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import typer

from ratchet.cli.ask import confirm, reason_for
from ratchet.cli.commands import playbook
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.pages.vault import backtest_page, difference_page, examination_page
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    YesOption,
    listing,
    page_of,
    say,
    single,
)
from ratchet.cli.words import day
from ratchet.desk.vault_views import HistoryLine, ReviewLine
from ratchet.desk.views import PlaybookView
from ratchet.domain.duration import parse_duration
from ratchet.domain.errors import invalid

DRAFTS = (
    Column[PlaybookView]("DRAFT", lambda each: each.id),
    Column[PlaybookView]("PLAYBOOK", lambda each: f"{each.series_id}@{each.version}"),
    Column[PlaybookView](
        "FROM", lambda each: " ".join(filter(None, (each.source, each.incident, each.fault))), wraps=True
    ),
    Column[PlaybookView]("BLANKS", lambda each: ", ".join(each.blanks), wraps=True),
    Column[PlaybookView]("CREATED", lambda each: each.created_at.date().isoformat(), wide=True),
)
HISTORY = (
    Column[HistoryLine]("SEQ", lambda each: each.seq),
    Column[HistoryLine]("DATE", lambda each: day(each.at)),
    Column[HistoryLine]("EVENT", lambda each: each.event),
    Column[HistoryLine]("VERSION", lambda each: each.version),
    Column[HistoryLine]("BY", lambda each: each.by),
    Column[HistoryLine]("REASON", lambda each: each.reason),
    Column[HistoryLine]("ID", lambda each: each.id, wide=True),
    Column[HistoryLine]("DIGEST", lambda each: each.digest, wide=True),
)
REVIEWS = (
    Column[ReviewLine]("PLAYBOOK", lambda each: f"{each.series}@{each.version}"),
    Column[ReviewLine]("WHAT", lambda each: each.what),
    Column[ReviewLine]("BECAUSE", lambda each: each.because, wraps=True),
    Column[ReviewLine]("OWNER", lambda each: each.owner, wraps=True),
    Column[ReviewLine]("ID", lambda each: each.id, wide=True),
)
SinceOption = Annotated[
    str, typer.Option("--since", help="Only incidents opened since then: a date, or how long ago, such as 30d.")
]


def add(app: typer.Typer) -> None:
    """Give the noun these verbs; those of `ratchet playbook` are the same under both nouns."""
    for name, command in {
        "drafts": drafts, "show": show, "diff": diff, "backtest": backtest, "history": history, "draft": draft,
        "edit": playbook.edit, "activate": playbook.activate, "discard": playbook.discard, "retire": retire,
        "review": review,
    }.items():  # fmt: skip
        app.command(name)(command)


def drafts(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """Everything that waits for a person, newest first within its series."""
    with road(context) as here:
        found = [each for each in here.desk.playbooks() if each.state == "draft"]
    listing(found, DRAFTS, How(form, quiet, header), page_of(found, "playbooks"))


def show(context: typer.Context, reference: playbook.Reference, form: FormOption = Form.TABLE) -> None:
    """A version with all that speaks for and against it: difference, lint, backtest, certificates, origin."""
    with road(context) as here:
        found = here.desk.vault.examine(reference)
    single(found, lambda: examination_page(found), form, f"playbook/{found.playbook.id}")


def diff(
    context: typer.Context,
    reference: playbook.Reference,
    against: Annotated[str, typer.Argument(metavar="[B]", help="Against this; else the series' active version.")] = "",
    form: FormOption = Form.TABLE,
) -> None:
    """What a version changes, field by field, what may harm first."""
    with road(context) as here:
        found = here.desk.vault.difference(reference, against)
    single(found, lambda: difference_page(found), form, f"playbook/{found.after}")


def backtest(
    context: typer.Context, reference: playbook.Reference, since: SinceOption = "", form: FormOption = Form.TABLE
) -> None:
    """Replay a version over the recorded evidence of past incidents; exit 5 when it is wrong where it was right."""
    with road(context) as here:
        found = here.desk.vault.backtest(reference, _since(since) if since else None)
    single(found, lambda: backtest_page(found), form, f"playbook/{reference}")
    if found.worse:
        raise typer.Exit(BAD_ANSWER)


def history(
    context: typer.Context,
    series: Annotated[str, typer.Argument(metavar="SERIES", help="Such as pbs_connection_triage.")],
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """Everything that happened in a series, oldest first, with person and reason."""
    with road(context) as here:
        found = here.desk.vault.history(series)
    listing(found, HISTORY, How(form, quiet, header), page_of(found))


def draft(context: typer.Context, reference: playbook.Reference, reason: playbook.ReasonOption = "") -> None:
    """A draft with a version's text, or of what worked in an incident (INC-7)."""
    with road(context) as here:
        vault = here.desk.vault
        incident = reference.upper().startswith("INC-")
        view = vault.draft_from(reference) if incident else vault.new_draft(reference, reason)
    say(f"{view.id} is a draft of {view.series_id}, version {view.version}.")


def retire(
    context: typer.Context, reference: playbook.Reference, reason: playbook.ReasonOption = "", yes: YesOption = False
) -> None:
    """Take the active version out of use; its series then has none."""
    because = reason_for("retire this", reason)
    confirm(f"Take {reference} out of use?", yes=yes)
    with road(context) as here:
        view = here.desk.vault.retire(reference, because)
    say(f"{view.series_id} {view.version} is retired.")


def review(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """Monday morning's list: failed, overdue, changed surroundings, drafts that wait, never proved."""
    with road(context) as here:
        found = here.desk.vault.reviews()
    listing(found, REVIEWS, How(form, quiet, header), page_of(found))


def _since(said: str) -> datetime:
    """A date, or a time ago."""
    now = datetime.now().astimezone()
    readings: Iterator[datetime] = (found for read in (_date, _ago) for found in [read(said, now)] if found is not None)
    found = next(readings, None)
    if found is None:
        raise invalid(f"--since {said[:40]!r} is no moment.", "Write a date such as 2026-08-14, or 30d.")
    return found


def _date(said: str, now: datetime) -> datetime | None:
    try:
        read = datetime.fromisoformat(said)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=now.tzinfo)


def _ago(said: str, now: datetime) -> datetime | None:
    try:
        return now - timedelta(seconds=parse_duration(said))
    except (ValueError, OverflowError):
        return None

"""What must hold before a person makes a version the active one; each failing has its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ratchet.domain.diff import Difference
from ratchet.domain.errors import Code, Mistake, Refusal, conflict, forbidden, invalid
from ratchet.domain.gate import TERMINAL
from ratchet.domain.series import Version
from ratchet.vault.canonical import text_digest


@dataclass(frozen=True)
class Judged:
    """A version with all that speaks for and against it; `difference` is against the active version of its series."""

    version: Version
    difference: Difference
    mistakes: Sequence[Mistake]


class Reader(NamedTuple):
    """Who would activate it, and the channel they came by."""

    by: str
    channel: str = TERMINAL


def check_text(version: Version) -> None:
    """Raise Refusal(FAILED) when the text is not the one that was kept under its digest."""
    if text_digest(version.text) != version.digest:
        raise Refusal(
            Code.FAILED,
            f"The text of {version.pin} ({version.id}) is not the one that was kept under its digest.",
            "Do not use it. Check the event chain (`ratchet audit verify`) and restore the state from a backup.",
        )


def objections(judged: Judged, reader: Reader, *, untested: bool = False) -> list[Refusal]:
    """Why this reader may not activate it now, gravest first; empty when it may be done. `untested`: a backtest that
    is missing does not count, because the activation itself makes it."""
    skip = untested and judged.version.backtest is None
    checks = (_blanks, _lint, _second_person) if skip else (_blanks, _lint, _backtest, _second_person)
    return [found for check in checks for found in [check(judged, reader)] if found is not None]


def people(version: Version) -> tuple[str, ...]:
    """The persons whose words stand in the text."""
    return tuple(name for name in dict.fromkeys((version.created_by, *version.authors)) if name.startswith("user:"))


def _blanks(judged: Judged, _reader: Reader) -> Refusal | None:
    version = judged.version
    if "owner" in version.blanks:
        message = f"{version.pin} still has blanks that only a person can fill: {', '.join(version.blanks)}."
        return invalid(message, f"Name its owner: `ratchet vault edit {version.id} --owner user:default/you`.")
    if "prevention" in version.blanks:
        message = f"{version.pin} says nothing that keeps this from coming back: prevention is blank."
        return invalid(message, f"Add `follow_ups:` to its text: `ratchet vault edit {version.id} --text FILE`.")
    if version.blanks:
        message = f"{version.pin} was imported and still has blanks: {', '.join(version.blanks)}."
        return invalid(message, f"Fill them in its text: `ratchet vault edit {version.id} --text FILE`.")
    return None


def _lint(judged: Judged, _reader: Reader) -> Refusal | None:
    if not judged.mistakes:
        return None
    count = len(judged.mistakes)
    message = f"{judged.version.pin} has {count} lint fault{'s' if count != 1 else ''}."
    return invalid(message, "Mend them, then activate.", judged.mistakes)


def _backtest(judged: Judged, reader: Reader) -> Refusal | None:
    version, test = judged.version, judged.version.backtest
    if test is None or test.digest != version.digest:
        return conflict(
            f"{version.pin} was not backtested as it stands now.", f"Run `ratchet vault backtest {version.id}`."
        )
    if test.worse and not _read_by_two(judged, reader):
        return forbidden(
            f"{version.pin} {test.sentence()}: what was known to be right would be concluded wrongly.",
            "Mend the draft. If it is right nonetheless, one person edits it and another, not an author, activates it"
            " with a token of their own.",
        )
    return None


def _second_person(judged: Judged, reader: Reader) -> Refusal | None:
    if not judged.difference.widens or _read_by_two(judged, reader):
        return None
    version = judged.version
    grew = [change for change in judged.difference.changes if change.widens and not change.part]
    named = [f"{change.kind.replace('_', ' ')}: {change.place}, {change.says}" for change in grew[:3]]
    told = "; ".join([*named, *(["..."] if len(grew) > 3 else [])])
    message = f"{version.pin} may do more than what is active now, and needs a second person: {told}."
    return forbidden(message, _who_could(version, reader))


def _who_could(version: Version, reader: Reader) -> str:
    """What to do where a second person is needed and this reader is not that one."""
    wrote = people(version)
    if not wrote:
        return f"One person takes it on (`ratchet vault edit {version.id} --owner ...`), and another activates it."
    if reader.channel == TERMINAL and not _wrote(version, reader):
        return (
            "At the terminal of the state two names are one person: the second one activates it with a token of their"
            " own (RATCHET_TOKEN_FILE), while `ratchet serve` runs."
        )
    named = ", ".join(wrote)
    return f"Ask somebody who did not write it ({named} did) to read `ratchet vault diff {version.id}` and activate it."


def _read_by_two(judged: Judged, reader: Reader) -> bool:
    """Whether the reader is not an author and, in a series that has an active version, some other person is one.

    Who sits at the terminal of the state names themselves, and so may be whoever wrote it under another name.
    """
    if not people(judged.version):
        return not judged.difference.before
    return reader.channel != TERMINAL and not _wrote(judged.version, reader)


def _wrote(version: Version, reader: Reader) -> bool:
    return reader.by.casefold() in {name.casefold() for name in people(version)}

"""Asking a person, only where there is one: off a terminal a question is a refusal, never a wait."""

import sys

from ratchet.cli.exits import DECLINED
from ratchet.cli.refused import Stopped
from ratchet.cli.words import clean
from ratchet.domain.spoken import spoken


def someone_is_there() -> bool:
    """Whether a question can be read and answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool, remedy: str = "Repeat with --yes.") -> None:
    """Go on only with a yes; exit 3 when it is not given, or when nobody can be asked."""
    if yes:
        return
    if not someone_is_there():
        raise Stopped(DECLINED, "This needs a yes, and there is no terminal to ask on.", remedy)
    if read_line(f"{question} [y/N] ").casefold() not in ("y", "yes"):
        raise Stopped(DECLINED, "Not done: the answer was not yes.", "Nothing was changed.")


def confirm_name(target: str, given: str | None) -> None:
    """For what cannot be taken back: the target's own name, typed here or given beforehand; exit 3 otherwise."""
    said = given
    if said is None and someone_is_there():
        said = read_line(f"This is destructive. Type the name of the target to go on ({target}): ")
    if said is None:
        remedy = f"Repeat with --confirm-target {target}."
        raise Stopped(DECLINED, "This is destructive, and the target was not named.", remedy)
    if said != target:
        raise Stopped(DECLINED, f"Not done: {said[:70]!r} is not the target of this packet.", "Nothing was changed.")


def read_line(question: str) -> str:
    """One line from the person; the question goes to stderr, so that stdout holds only the answer of the program."""
    sys.stderr.write(clean(question))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def reason_for(what: str, given: str) -> str:
    """The reason that was given, or asked for on a terminal; exit 3 without either, 2 where it is too long."""
    if given:
        return spoken(given, "A reason")
    if not someone_is_there():
        raise Stopped(DECLINED, f"A reason is needed to {what}.", "Give it with --reason.")
    answer = read_line(f"Why {what}? ")
    if not answer:
        raise Stopped(DECLINED, f"A reason is needed to {what}.", "Nothing was changed.")
    return spoken(answer, "A reason")

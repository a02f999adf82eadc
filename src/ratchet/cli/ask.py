"""Asking a person, only where there is one: off a terminal a question is a refusal, never a wait."""

import sys

from ratchet.cli.exits import DECLINED
from ratchet.cli.refused import Stopped


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


def read_line(question: str) -> str:
    """One line from the person; the question goes to stderr, so that stdout holds only the answer of the program."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def reason_for(what: str, given: str) -> str:
    """The reason that was given, or asked for on a terminal; exit 3 without either."""
    if given:
        return given
    if not someone_is_there():
        raise Stopped(DECLINED, f"A reason is needed to {what}.", "Give it with --reason.")
    answer = read_line(f"Why {what}? ")
    if not answer:
        raise Stopped(DECLINED, f"A reason is needed to {what}.", "Nothing was changed.")
    return answer

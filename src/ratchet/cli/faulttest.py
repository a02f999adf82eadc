"""`faulttest`: the same program under the name of another one, whose lines work as they are printed.

`faulttest run ...` is `ratchet fault run ...`, and `faulttest vault ...` is `ratchet vault ...`.
"""

import sys
from collections.abc import Sequence

from ratchet.cli import program
from ratchet.cli.given import VALUED, hoist

PASSED_ON = ("vault", "version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one line (the process's own without `argv`) and give its exit code."""
    return program.main(as_ratchet(sys.argv[1:] if argv is None else argv))


def as_ratchet(argv: Sequence[str]) -> list[str]:
    """The line as `ratchet` takes it."""
    words = hoist(argv)
    place = 0
    while place < len(words) and (words[place] in VALUED or words[place] == "--debug"):
        place += 2 if words[place] in VALUED else 1
    own = words[place : place + 1]
    return words if own and own[0] in PASSED_ON else [*words[:place], "fault", *words[place:]]

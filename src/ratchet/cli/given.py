"""What was said for all commands: the options that may stand anywhere on the line."""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

VALUED = {"--url": "--url", "--gateway": "--url", "--token-file": "--token-file", "--home": "--home",
          "--api-key": "--api-key"}  # fmt: skip
FLAGS = ("--debug",)


class Given(NamedTuple):
    """Flags before the environment is asked. `json_errors`: whether refusals are problem documents."""

    url: str | None = None
    token_file: str | None = None
    home: str | None = None
    api_key: str | None = None
    debug: bool = False
    json_errors: bool = False

    def environ(self) -> dict[str, str]:
        """The environment with the flags on top: a flag wins over a variable."""
        named = {
            "RATCHET_URL": self.url, "RATCHET_TOKEN_FILE": self.token_file, "RATCHET_HOME": self.home,
            "RATCHET_TOKEN": self.api_key,
        }  # fmt: skip
        environ = dict(os.environ)
        if self.api_key and not self.token_file:
            environ.pop("RATCHET_TOKEN_FILE", None)
        return {**environ, **{key: value for key, value in named.items() if value}}


def hoist(argv: Sequence[str]) -> list[str]:
    """The line with the options for all commands moved to its front, wherever they stood; nothing after `--` moves."""
    front: list[str] = []
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            return [*front, *rest, word, *words]
        if word in FLAGS:
            front.append(word)
        elif name in VALUED and equals:
            front += [VALUED[name], value]
        elif word in VALUED and words:
            front += [VALUED[word], words.pop(0)]
        else:
            rest.append(word)
    return [*front, *rest]


def wants_json(argv: Sequence[str]) -> bool:
    """Whether the line asks for JSON; asked before it is parsed, because parsing itself may be refused."""
    pairs = pairwise([*argv, ""])
    spelled = {f"{option}{kind}" for option in ("-o", "-o=", "--output=") for kind in ("json", "jsonl")}
    return any(word in spelled or (word in ("-o", "--output") and value in ("json", "jsonl")) for word, value in pairs)

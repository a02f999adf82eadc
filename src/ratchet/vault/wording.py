"""Texts that must not stand in a playbook: secrets, what nobody sees, shell lines, blanks left, dead links."""

import re
from collections.abc import Iterator
from typing import Any

from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Path, Sheet, keys_in, texts_in
from ratchet.domain.unseen import STEERS, called

_SECRETS = (
    re.compile(
        r"(?i)\b\w{0,30}(password|passwd|pwd|secret|api[_-]?key|token)\b\s*[=:]\s*['\"]?(?!\*|<|\{|\$|\[|=)[^\s,;'\"]{4,}"
    ),
    re.compile(r"(?i)\bpassword\s+'(?!\*|<|\{|\$|\[)[^'\s]{4,}'"),
    re.compile(r"\b[a-z][a-z0-9+]{1,20}://[^\s:/@]+:[^\s@/*]+@"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\b(xox[abpr]-|gh[pousr]_|glpat-|sk-)[A-Za-z0-9-]{16,}"),
    re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{20,}"),
)
_REDACTED = re.compile(r"\[secret:[0-9a-f]{4}\]")
LEFT = re.compile(r"<[A-Z][A-Z0-9_ -]{1,40}>|\b(?:TO" + r"DO|FIX" + r"ME|TB" + r"D|XX" + r"X)\b")
_SLOT = re.compile(r"\{\{.*?\}\}")
_SHELL = re.compile(r"\$\(|`|\s(?:&&|\|\||\||;)\s|^\s*(?:sudo|bash|sh)\s")
_SHELL_KEYS = frozenset({"argv", "cmd", "command", "script", "shell"})
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/\S*)?|playbook:pbs_[a-z0-9_]{1,60}")


def wording_mistakes(sheet: Sheet) -> Iterator[Mistake]:
    """PB019, PB020, PB024, PB025 and PB029."""
    yield from unkept_mistakes(sheet)
    yield from _blanks(sheet)
    yield from _shell(sheet)
    yield from _links(sheet)


def unkept_mistakes(sheet: Sheet) -> Iterator[Mistake]:
    """PB020 and PB029: what is not kept at all, because events are kept for good and texts are shown as they are."""
    for path, written in (*sheet.texts(), *keys_in(sheet.data, ())):
        searched = _REDACTED.sub("*", written)
        secret = next((found for pattern in _SECRETS if (found := pattern.search(searched))), None)
        if secret is not None:
            remedy = "Remove it, rotate it, and refer to where it is kept."
            message = f"a secret stands in the file: {_place(path, searched, secret.start())}"
            yield sheet.mistake(path, "PB020", message, remedy)
        hidden = STEERS.search(written)
        if hidden is not None:
            message = f"{called(hidden[0])} hides in the text: {_place(path, written, hidden.start())}"
            yield sheet.mistake(path, "PB029", message, "Remove it; write only what can be seen.")


def _place(path: Path, written: str, at: int) -> str:
    """`spec.guidance, its line 3, character 12`, without what stands there."""
    before = written[:at]
    where = STEERS.sub("?", ".".join(map(str, path)))[:120] or "the text"
    return f"{where}, its line {before.count(chr(10)) + 1}, character {at - before.rfind(chr(10))}"


def _blanks(sheet: Sheet) -> Iterator[Mistake]:
    for path, written in sheet.texts():
        left = LEFT.search(written)
        if left and path[:2] != ("spec", "symptoms"):
            message = f"a placeholder was left: {left.group()!r}"
            yield sheet.mistake(path, "PB025", message, "Write what belongs there, or a parameter.")


def _shell(sheet: Sheet) -> Iterator[Mistake]:
    for path, step in sheet.each("spec", "steps"):
        args: Any = step.get("args")
        for place, written in texts_in(args, (*path, "args")):
            if str(place[-1]) in _SHELL_KEYS or _SHELL.search(_SLOT.sub("", written)):
                message = f"an argument of {path[-1]!r} is a shell line"
                yield sheet.mistake(place, "PB019", message, "Give the tool its typed arguments instead.")


def _links(sheet: Sheet) -> Iterator[Mistake]:
    places: list[tuple[Path, Any]] = []
    places += [((*path, "link"), rule.get("link")) for path, rule in sheet.each("spec", "follow_ups")]
    places += [((*path, "href"), rule.get("href")) for path, rule in sheet.each("spec", "links")]
    places += list(texts_in(sheet.at(("spec", "tags", "dashboard")), ("spec", "tags", "dashboard")))
    for path, link in places:
        if isinstance(link, str) and link and not _LINK.fullmatch(link):
            remedy = "Write a whole address (https://...) or playbook:pbs_name; leave it empty when there is none."
            yield sheet.mistake(path, "PB024", f"the link {link!r} leads nowhere", remedy)

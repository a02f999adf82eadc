"""Every way in which a secret that we hold may be spelled in what a target, log or monitor says back."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

SHORTEST = 4
"""Shorter values are left to the rules: replacing every `a` would destroy the evidence and hide nothing."""

_URL_PASSWORD = re.compile(r"://[^\s:/@]*:([^\s/?#]+)@")
_WORD_PASSWORD = re.compile(r"""\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'&]+))""", re.IGNORECASE)


def parts(value: str) -> Iterator[str]:
    """The secret itself and, when it is a connection string, the password inside it."""
    yield value
    for found in _URL_PASSWORD.finditer(value):
        yield found[1]
        yield unquote(found[1])
    for found in _WORD_PASSWORD.finditer(value):
        plain = found[2] or re.sub(r"\\(.)", r"\1", found[1] or "")
        yield plain
        yield unquote(plain)


def spellings(value: str) -> set[str]:
    """`value` as it stands, URL-quoted, JSON- and SQL-escaped, in hexadecimal and in base64 at any offset."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {
        value,
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        value.replace("'", "''"),
        value.replace("\\", "\\\\").replace("'", "\\'"),
        raw.hex(),
        raw.hex().upper(),
        *_base64(raw),
    }
    return {form for form in forms if len(form) >= SHORTEST}


def _base64(raw: bytes) -> Iterator[str]:
    """The stable middle of the base64 text when `raw` begins at byte 0, 1 or 2 of a group of three."""
    if len(raw) < 6:
        yield base64.b64encode(raw).decode("ascii")
        return
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")
        first = -(-offset * 8 // 6)
        whole = (offset + len(raw)) * 8 // 6
        middle = encoded[first:whole]
        yield middle
        yield middle.replace("+", "-").replace("/", "_")

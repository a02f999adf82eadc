"""Tells a read of PostgreSQL from everything else, before it is sent, and refuses whatever it does not know.

The role and the read-only transaction stand behind this; neither stops a superuser's `pg_terminate_backend`.
The dialect is deliberately small: printable ASCII, no block comments, no dollar quotes, no backslashes, so that the
parser here and the server's cannot disagree about where a string or a statement ends.
"""

import re
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ratchet.tools.postgres.dialect import (
    DENIED_FUNCTIONS,
    DENIED_TABLES,
    KNOWN_FUNCTIONS,
    KNOWN_NODES,
    KNOWN_TYPES,
)

LONGEST = 20_000
"""Characters of a probe's SQL."""

PLACEHOLDER = re.compile(r"%\(([A-Za-z_][A-Za-z0-9_]*)\)s")
_STRANGE = re.compile(r"[^\x20-\x7e\n\t]")
_SHOW = re.compile(r"(?is)\s*show\s+([a-z_][a-z0-9_.]*)\s*;?\s*")
_TEXT_TRAPS = (
    (re.compile(r"/\*"), "a block comment"),
    (re.compile(r"\$[A-Za-z_0-9]*\$"), "a dollar quote"),
    (re.compile(r"\\"), "a backslash"),
    (re.compile(r"(?i)u&['\"]"), "a Unicode-escaped string or identifier"),
)
_HIDDEN_SETTINGS = re.compile(r"(?i)all|.*(?:conninfo|passphrase|_command|secret|token|credential).*")


@lru_cache(maxsize=512)
def objections(sql: str, allowed: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Why `sql` is not a single harmless read; empty when it is.

    `sql` uses psycopg's `%(name)s`, with every other percent sign doubled. `allowed` names functions, in lower case,
    that this one text may call although they are denied otherwise.
    """
    if len(sql) > LONGEST:
        return (f"it is longer than {LONGEST} characters",)
    if _STRANGE.search(sql):
        return ("it holds a character that is not printable ASCII",)
    bare = PLACEHOLDER.sub("NULL", sql)
    if "%" in bare.replace("%%", ""):
        return ("it holds a single percent sign; every literal one is doubled",)
    bare = bare.replace("%%", "%")
    traps = tuple(f"it holds {what}" for pattern, what in _TEXT_TRAPS if pattern.search(bare))
    if traps:
        return traps
    shown = _SHOW.fullmatch(bare)
    if shown is not None:
        return ("it shows a setting that may hold a secret",) if _HIDDEN_SETTINGS.fullmatch(shown[1]) else ()
    return _parsed_objections(bare, allowed)


def _parsed_objections(bare: str, allowed: frozenset[str]) -> tuple[str, ...]:
    try:
        statements = sqlglot.parse(bare, dialect="postgres")
        if len(statements) != 1 or statements[0] is None:
            return (f"it is {len(statements)} statements, not one",)
        nodes = list(statements[0].walk())
    except (SqlglotError, RecursionError, ValueError) as error:
        return (f"it cannot be parsed ({type(error).__name__})",)
    root = statements[0]
    if not isinstance(root, exp.Select | exp.SetOperation | exp.Values):
        return (f"it is a {type(root).__name__}, not SELECT, WITH, VALUES or SHOW",)
    return tuple(dict.fromkeys(reason for node in nodes for reason in _about(node, allowed)))


def _about(node: exp.Expr, allowed: frozenset[str]) -> list[str]:
    reasons: list[str] = []
    if isinstance(node, exp.Func):
        reasons += _about_function(node, allowed)
    elif type(node).__name__ not in KNOWN_NODES:
        reasons.append(f"it uses {type(node).__name__}, which is not on the list of harmless parts")
    if isinstance(node, exp.Identifier) and _denied(node.name) and node.name.lower() not in allowed:
        reasons.append(f"it names {node.name}")
    if isinstance(node, exp.Table) and node.name.lower() in DENIED_TABLES:
        reasons.append(f"it reads {node.name}, which may hold secrets")
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.USERDEFINED:
        kind = node.args.get("kind")
        name = kind.name if isinstance(kind, exp.Expr) else str(kind)
        if name.lower() not in KNOWN_TYPES:
            reasons.append(f"it casts to the type {name}, which is not a known one")
    return reasons


def _about_function(node: exp.Func, allowed: frozenset[str]) -> list[str]:
    anonymous = isinstance(node, exp.Anonymous)
    name = node.name.lower() if anonymous else type(node).__name__
    schema = _schema_of(node)
    if schema not in ("", "pg_catalog"):
        return [f"it calls {schema}.{name}; only functions of pg_catalog are known"]
    if anonymous and name in allowed:
        return []
    if anonymous and _denied(name):
        return [f"it calls {name}, which acts on the server, waits or opens files"]
    known = KNOWN_FUNCTIONS.fullmatch(name) is not None if anonymous else name in KNOWN_NODES
    return [] if known else [f"it calls {name}, which is not on the list of harmless functions"]


def _schema_of(node: exp.Func) -> str:
    """The schema written before a function's name; an unusual form gives a text that is no known schema."""
    parent = node.parent
    if isinstance(parent, exp.Dot) and parent.expression is node:
        left = parent.this
        outer = isinstance(parent.parent, exp.Dot)
        return left.name if isinstance(left, exp.Identifier) and not outer else "?"
    if isinstance(parent, exp.Table) and parent.this is node:
        return "?" if parent.args.get("catalog") else parent.db
    return ""


def _denied(name: str) -> bool:
    return DENIED_FUNCTIONS.fullmatch(name.lower()) is not None

"""Writes setting names and values as SQL, so that what was there can be put back exactly."""

from psycopg import sql

QUOTED_LISTS = frozenset({
    "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
    "temp_tablespaces", "unix_socket_directories",
})  # fmt: skip
"""Settings whose value is a list of quoted names: one literal for the whole would become one odd name."""


def setting_name(name: str) -> sql.Identifier:
    """`work_mem` or `extension.setting`, quoted part by part."""
    return sql.Identifier(*name.split("."))


def setting_value(name: str, value: str) -> sql.Composable:
    """The value as literals; an empty list is one empty literal."""
    if name.lower() not in QUOTED_LISTS:
        return sql.Literal(value)
    parts = list_parts(value)
    return sql.SQL(", ").join([sql.Literal(part) for part in parts] or [sql.Literal("")])


def list_parts(value: str) -> list[str]:
    """The names of a list such as `"$user", public`; quotes are taken off, doubled quotes are one."""
    parts: list[str] = []
    rest = value.strip()
    while rest:
        if rest.startswith('"'):
            end = _closing(rest)
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].lstrip().removeprefix(",").lstrip()
        else:
            part, _, rest = rest.partition(",")
            parts.append(part.strip())
            rest = rest.lstrip()
    return parts


def _closing(text: str) -> int:
    at = 1
    while at < len(text):
        if text[at] == '"' and text[at + 1 : at + 2] != '"':
            return at
        at += 2 if text[at] == '"' else 1
    return len(text)


def bound_free(statement: sql.Composable) -> str:
    """The statement's text, safe to send with parameters: its own percent signs are doubled."""
    return statement.as_string().replace("%", "%%")

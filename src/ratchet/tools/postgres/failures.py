"""Sorts what can go wrong between us and a PostgreSQL server into the answers that conditions know."""

import psycopg

from ratchet.domain.evidence import Answer
from ratchet.tools.answers import NoAnswer


class WallLimit(psycopg.OperationalError):
    """Nothing came back in time and the socket was closed on our side."""


STATES: dict[str, Answer] = {
    "53300": Answer.TOO_MANY_CLIENTS,
    "57P03": Answer.STARTING,
    "28000": Answer.AUTH,
    "28P01": Answer.AUTH,
    "42501": Answer.PERMISSION,
    "25006": Answer.PERMISSION,
    "57014": Answer.TIMEOUT,
    "55P03": Answer.TIMEOUT,
    "25P03": Answer.TIMEOUT,
    "3D000": Answer.NO_DATABASE,
    "42883": Answer.MISSING,
    "42P01": Answer.MISSING,
    "42703": Answer.MISSING,
    "42704": Answer.MISSING,
    "0A000": Answer.MISSING,
}
ENDED = frozenset({"57P01", "57P02", "57P04", "57P05", "25P03"})
"""The server ended the session: administrator, crash, dropped database, idle limits."""

# A refused login carries no SQLSTATE through libpq, only its message; the order matters, the first hit counts.
PHRASES: tuple[tuple[str, Answer], ...] = (
    ("server login", Answer.SERVER_LOGIN),
    ("too many clients", Answer.TOO_MANY_CLIENTS),
    ("remaining connection slots", Answer.TOO_MANY_CLIENTS),
    ("too many connections", Answer.TOO_MANY_CLIENTS),
    ("number of requested standby connections", Answer.TOO_MANY_CLIENTS),
    ("in recovery mode", Answer.IN_RECOVERY),
    ("starting up", Answer.STARTING),
    ("shutting down", Answer.STARTING),
    ("not yet accepting", Answer.STARTING),
    ("not accepting", Answer.STARTING),
    ("translate host name", Answer.NAME_RESOLUTION),
    ("resolve host", Answer.NAME_RESOLUTION),
    ("no more connections allowed", Answer.TOO_MANY_CLIENTS),
    ("authentication", Answer.AUTH),
    ("no such user", Answer.AUTH),
    ("not allowed to", Answer.AUTH),
    ("no pg_hba.conf entry", Answer.AUTH),
    ("pg_hba.conf rejects", Answer.AUTH),
    ("no password supplied", Answer.AUTH),
    ("not permitted to log in", Answer.AUTH),
    ("permission denied for database", Answer.AUTH),
    ('role "', Answer.AUTH),
    ('database "', Answer.NO_DATABASE),
    ("no such database", Answer.NO_DATABASE),
    ("database does not allow connections", Answer.NO_DATABASE),
    ("timeout expired", Answer.HUNG),
    ("timed out", Answer.HUNG),
    ("connection refused", Answer.REFUSED),
    ("no such file or directory", Answer.REFUSED),
    ("no route to host", Answer.REFUSED),
    ("unreachable", Answer.REFUSED),
    ("server closed the connection", Answer.REFUSED),
    ("reset by peer", Answer.REFUSED),
)


def login_failed(error: psycopg.Error) -> NoAnswer:
    """Why a login did not come about."""
    text = _first_lines(str(error))
    if isinstance(error, WallLimit | psycopg.errors.ConnectionTimeout):
        return NoAnswer(Answer.HUNG, text or "the server took the connection and then said nothing")
    if error.sqlstate in STATES:
        return NoAnswer(STATES[error.sqlstate], text, error.sqlstate)
    lowered = text.lower()
    return NoAnswer(next((answer for phrase, answer in PHRASES if phrase in lowered), Answer.ERROR), text)


def statement_failed(error: psycopg.Error, *, broken: bool) -> NoAnswer:
    """Why a statement brought no rows; `broken` says that its session is no longer usable."""
    text, code = _first_lines(str(error)), error.sqlstate or ""
    if isinstance(error, WallLimit):
        return NoAnswer(Answer.HUNG, text)
    if code in ENDED or (broken and not code):
        return NoAnswer(Answer.ERROR, text, code, lost=True)
    if code == "55000" and "recovery" in text.lower():
        return NoAnswer(Answer.IN_RECOVERY, text, code)
    return NoAnswer(STATES.get(code, Answer.ERROR), text, code, lost=broken)


def _first_lines(text: str) -> str:
    return " ".join(text.split())[:400]

"""The sessions of one target: a diagnosis session and an act session, opened early, kept, and re-opened when broken."""

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg

from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Answer
from ratchet.domain.noun import Noun
from ratchet.domain.target import SecretRef, Target
from ratchet.security.secrets import Secret
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.failures import statement_failed
from ratchet.tools.postgres.line import Line, Row, open_line

FACTS_LIMIT = 3.0
GRACE = 0.5
"""Seconds that a client waits longer than the server may work, so that the server's own answer can arrive."""
LOCK_LIMIT = 10.0
EXTRA = 3
LONGEST_BACKOFF = 30.0
DIAG_START = b"SET default_transaction_read_only = on; SET search_path = pg_catalog"
CANARY_START = b"SET search_path = pg_catalog"
"""The canary meets what every user of its kind meets, a read-only default included."""
ACT_START = b"""SET search_path = pg_catalog; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s';
SET default_transaction_read_only = off"""
"""A read-only default is one of the things that the act session takes back."""
BOUNDS = b"""SELECT set_config('statement_timeout', %(ms)s, true), set_config('lock_timeout', %(lock_ms)s, true),
  set_config('idle_in_transaction_session_timeout', %(idle_ms)s, true), set_config('search_path', %(path)s, true)"""
# The view pg_stat_activity reads pg_authid and pg_database too, and waits where somebody locked one of them.
FACTS = b"""SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS in_recovery,
  (SELECT coalesce(json_object_agg(e.extname, n.nspname), '{}') FROM pg_extension e
     JOIN pg_namespace n ON n.oid = e.extnamespace) AS extensions,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)
    - (SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE backend_type = 'client backend') AS room,
  current_user::text AS login, pg_has_role(current_user, 'pg_monitor', 'USAGE') AS sees_others"""


class Facts(Noun):
    """What decides which probes fit here: version, role in replication, extensions by schema, free login slots, and
    whether the login sees other sessions at all; where it does not, it cannot count the slots either."""

    version: int
    in_recovery: bool
    extensions: dict[str, str]
    room: int
    login: str
    sees_others: bool


class Warm:
    """One kept session. `line` opens it when it is not there, and each caller has it alone."""

    def __init__(self, opening: Callable[[], Line]) -> None:
        self._opening = opening
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._failed_at = float("-inf")
        self._backoff = 0.0

    @contextmanager
    def line(self) -> Generator[Line]:
        """The open session, held alone; raises NoAnswer when it cannot be opened."""
        if not self._lock.acquire(timeout=LOCK_LIMIT):
            raise NoAnswer(Answer.TIMEOUT, "the session to this target is busy with another look")
        try:
            yield self._open()
        finally:
            if self._line is not None and self._line.closed:
                self._line = None
            self._lock.release()

    def warm_up(self, *, answered: bool = False) -> None:
        """Open the session early if it is not there; a failure is left for the next use. At most once per backoff,
        unless the server has just `answered` another session: what failed while it was down says nothing any more."""
        waiting = not answered and monotonic() - self._failed_at < self._backoff
        if waiting or not self._lock.acquire(blocking=False):
            return
        try:
            self._open()
        except NoAnswer:
            pass
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the session, whoever holds it."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _open(self) -> Line:
        if self._line is not None and not self._line.ended():
            return self._line
        try:
            self._line = self._opening()
        except NoAnswer:
            self._failed_at = monotonic()
            self._backoff = min(LONGEST_BACKOFF, max(0.5, self._backoff * 2))
            raise
        self._backoff = 0.0
        return self._line


class Sessions:
    """All sessions of one target. The act session is reached only through `send`, which asks for a Grant."""

    def __init__(self, target: Target, secret: Callable[[SecretRef], Secret]) -> None:
        self.target = target
        self._secret = secret
        self.diag = Warm(self.open_diag)
        self.extra = threading.BoundedSemaphore(EXTRA)
        """Leave to open a further reading session, shared by all looks at this target."""
        self.act = Warm(self._open_act)

    def open_diag(self) -> Line:
        """A further read-only session; raises NoAnswer."""
        return self._login(self.target.diag, "ratchet:diag", DIAG_START)

    def open_canary(self) -> Line:
        """A session as an ordinary user has it; raises NoAnswer."""
        return self._login(self.target.canary, "ratchet:canary", CANARY_START)

    def read(self, sql: str, params: Mapping[str, Any], *, timeout: float = 5.0) -> list[Row]:
        """Rows of one reading statement on the diagnosis session, tried once more when the session had been ended."""
        return self.on_diag(lambda line: read_only(line, sql, params, timeout))

    def facts(self) -> Facts:
        """What this server is now; raises NoAnswer."""
        return self.on_diag(_facts)

    def on_diag(self, use: "Callable[[Line], Any]") -> Any:
        """Run `use` on the diagnosis session; a session that turned out dead is replaced once, silence is looked into.

        A login that fails after that tells more than the broken session did: its answer is the one raised.
        """
        try:
            with self.diag.line() as line:
                return use(line)
        except NoAnswer as broken:
            if not broken.lost:
                raise
        with self.diag.line() as line:
            return use(line)

    def close(self) -> None:
        """Close both sessions."""
        self.diag.close()
        self.act.close()

    def _open_act(self) -> Line:
        return self._login(self.target.act, "ratchet:act", ACT_START)

    def _login(self, ref: SecretRef | None, application_name: str, start: bytes) -> Line:
        if ref is None:
            role = application_name.removeprefix("ratchet:")
            raise NoAnswer(Answer.UNREGISTERED, f"target {self.target.name} has no {role} login registered")
        try:
            conninfo = self._secret(ref).reveal()
        except Refusal as refusal:
            raise NoAnswer(Answer.AUTH, f"{refusal.message} {refusal.remedy}") from None
        line = open_line(conninfo, application_name, pooled=self.target.is_pooler)
        if self.target.is_pooler:
            # What is set in a pooled session stays behind in it, for whoever is given it next.
            return line
        with bounded(line, FACTS_LIMIT):
            line.execute(start, prepare=False)
        return line


@contextmanager
def bounded(line: Line, seconds: float) -> Generator[None]:
    """Bound every wait inside by one wall limit and turn what goes wrong into NoAnswer."""
    line.until = monotonic() + seconds
    try:
        yield
    except psycopg.Error as error:
        raise statement_failed(error, broken=line.closed) from None
    finally:
        line.until = float("inf")


def read_only(line: Line, sql: str, params: Mapping[str, Any], timeout: float, path: str = "") -> list[Row]:
    """Rows of one statement inside a read-only transaction with server and wall limits; raises NoAnswer."""
    bounds = {
        "ms": f"{max(1, round(timeout * 1000))}ms",
        "lock_ms": f"{max(1, round(min(timeout, 1.0) * 1000))}ms",
        "idle_ms": f"{round((timeout + 5) * 1000)}ms",
        "path": f'pg_catalog, "{path}"' if path else "pg_catalog",
    }
    with bounded(line, timeout + GRACE):
        try:
            with line.pipeline():
                line.execute(b"BEGIN READ ONLY", prepare=False)
                line.execute(BOUNDS, bounds)
                cursor = line.execute(sql.encode(), params)
                # Prepared behind a statement that fails it would be known to the driver and not to the server, and
                # every later statement of this session would fail.
                line.execute(b"ROLLBACK", prepare=False)
            return cursor.fetchall() if cursor.description else []
        finally:
            if not line.closed and line.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
                line.execute(b"ROLLBACK", prepare=False)


def _facts(line: Line) -> Facts:
    try:
        rows = read_only(line, FACTS.decode(), {}, FACTS_LIMIT)
    except NoAnswer as failed:
        # Silence may be one stopped process or the whole server: a new login tells which.
        raise NoAnswer(failed.answer, failed.detail, failed.code, lost=line.closed) from None
    return Facts(**rows[0])

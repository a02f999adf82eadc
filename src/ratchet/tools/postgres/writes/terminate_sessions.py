"""Ends client sessions, named or by predicate, so that their connection slots, locks and snapshots are free again."""

from collections.abc import Sequence
from typing import ClassVar

from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.sessions_named import APPLICATION, FITTING, FOREIGN, SessionFilter, gone
from ratchet.tools.tool import NOT_LATE, Reader, Row, WriteTool, declare, utc_text

SHOW = f"""SELECT a.pid, {utc_text("a.backend_start")} AS backend_start, {APPLICATION} AS app,
  a.usename::text AS "user", a.datname::text AS db, a.state, {utc_text("a.xact_start")} AS xact_start,
  greatest(0, extract(epoch FROM clock_timestamp() - a.state_change))::float8 AS idle_s,
  a.backend_xid IS NOT NULL AS has_writes, host(a.client_addr) AS client,
  {utc_text("clock_timestamp()")} AS clock
FROM pg_stat_activity a
WHERE {FITTING} AND (NOT %(named)s::bool OR (a.pid, a.backend_start) IN
  (SELECT * FROM unnest(%(pids)s::int[], %(starts)s::timestamptz[])))
ORDER BY a.state_change, a.pid LIMIT %(limit)s::int"""

TOLD = f"""t.pid, {utc_text("t.backend_start")} AS backend_start, t.application_name AS app,
  t.usename::text AS "user", t.state, t.backend_xid IS NOT NULL AS has_writes, pg_terminate_backend(t.pid) AS sent"""

EXACT = f"""WITH t AS MATERIALIZED (
  SELECT a.* FROM pg_stat_activity a
  JOIN unnest(%(pids)s::int[], %(starts)s::timestamptz[], %(states)s::text[], %(begins)s::timestamptz[],
              %(writes)s::bool[]) AS shown(pid, backend_start, state, xact_start, writes)
    ON a.pid = shown.pid AND a.backend_start = shown.backend_start AND a.state = shown.state
   AND a.xact_start IS NOT DISTINCT FROM shown.xact_start
   AND (a.backend_xid IS NULL OR shown.writes)
  WHERE {FOREIGN})
SELECT {TOLD} FROM t WHERE {NOT_LATE}"""

BOUNDED = f"""WITH t AS MATERIALIZED (
  SELECT a.* FROM pg_stat_activity a
  JOIN unnest(%(pids)s::int[], %(starts)s::timestamptz[]) AS shown(pid, backend_start)
    ON a.pid = shown.pid AND a.backend_start = shown.backend_start
  WHERE {FITTING} AND a.backend_xid IS NULL)
SELECT {TOLD} FROM t WHERE (SELECT count(*) FROM t) <= %(cap)s::int AND {NOT_LATE}"""


class TerminateSessions(WriteTool[SessionFilter]):
    """Only sessions that were shown. Bounded: those that still fit; exact: named ones, or when one has writes."""

    arguments = SessionFilter
    spec: ClassVar[ToolSpec] = declare(
        "postgres.terminate_sessions",
        "End client sessions by name (pid and backend_start) or by predicate",
        SessionFilter,
        effect="disruptive",
        klass="A",
        scope="bounded",
        capabilities=("free_connection_slots", "release_locks", "end_transactions"),
    )

    def preview(self, read: Reader, args: SessionFilter) -> Preview:
        rows = read(SHOW, args.bound())
        clock = rows[0]["clock"] if rows else ""
        shown = [{name: value for name, value in row.items() if name != "clock"} for row in rows]
        writes = any(row["has_writes"] for row in shown)
        exact = args.sessions is not None or writes
        said = f"{len(shown)} sessions would be ended"
        return Preview(
            rows=tuple(shown),
            statements=(exactly(shown) if exact else _bounded(args, shown),),
            summary=f"{said}; uncommitted writes of some are rolled back" if writes else said,
            writes=writes,
            undo=Undo.none("an ended session is gone; its client connects again by itself or not at all"),
            clock=clock,
        )

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        return gone(read, act)

    def touched(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(row for row in rows if row.get("sent"))

    def nothing_done(self, act: Act, code: str) -> bool:
        """Signals go out row by row: an error after the first row says nothing about that row."""
        return len(act.identities) <= 1 or code == "42601"


def exactly(shown: Sequence[Row]) -> Statement:
    """The statement for exactly these sessions in exactly this state, in the same transaction where one is open."""
    return Statement(
        sql=EXACT,
        params={
            "pids": [row["pid"] for row in shown],
            "starts": [row["backend_start"] for row in shown],
            "states": [row["state"] for row in shown],
            "begins": [row["xact_start"] for row in shown],
            "writes": [row["has_writes"] for row in shown],
        },
    )


def _bounded(args: SessionFilter, shown: Sequence[Row]) -> Statement:
    """The statement for those shown who still fit when it runs, never for a new arrival; `cap` comes from the act."""
    bound = {name: value for name, value in args.bound().items() if name not in ("named", "limit")}
    named = {"pids": [row["pid"] for row in shown], "starts": [row["backend_start"] for row in shown]}
    return Statement(sql=BOUNDED, params={**bound, **named})

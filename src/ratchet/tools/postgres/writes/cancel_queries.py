"""Cancels running statements, each named by pid, backend_start and query_start; their sessions stay."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.sessions_named import APPLICATION, FOREIGN, SessionName
from ratchet.tools.tool import NOT_LATE, Reader, Row, WriteTool, declare, utc_text

SHOW = f"""SELECT a.pid, {utc_text("a.backend_start")} AS backend_start, {utc_text("a.query_start")} AS query_start,
  {APPLICATION} AS app, a.usename::text AS "user", a.state,
  greatest(0, extract(epoch FROM clock_timestamp() - a.query_start))::float8 AS running_s,
  a.backend_xid IS NOT NULL AS has_writes, left(a.query, 200) AS query, {utc_text("clock_timestamp()")} AS clock
FROM pg_stat_activity a
JOIN unnest(%(pids)s::int[], %(starts)s::timestamptz[], %(queries)s::timestamptz[])
  AS named(pid, backend_start, query_start)
  ON a.pid = named.pid AND a.backend_start = named.backend_start
 AND a.query_start = coalesce(named.query_start, a.query_start)
WHERE {FOREIGN} AND a.state = 'active'
ORDER BY a.query_start, a.pid"""

CANCEL = f"""WITH t AS MATERIALIZED (
  SELECT a.* FROM pg_stat_activity a
  JOIN unnest(%(pids)s::int[], %(starts)s::timestamptz[], %(queries)s::timestamptz[], %(writes)s::bool[])
    AS shown(pid, backend_start, query_start, writes)
    ON a.pid = shown.pid AND a.backend_start = shown.backend_start AND a.query_start = shown.query_start
   AND (a.backend_xid IS NULL OR shown.writes)
  WHERE {FOREIGN} AND a.state = 'active')
SELECT t.pid, {utc_text("t.backend_start")} AS backend_start, {utc_text("t.query_start")} AS query_start,
  t.application_name AS app, pg_cancel_backend(t.pid) AS sent
FROM t WHERE {NOT_LATE}"""

RUNNING = f"""SELECT count(*) AS alive FROM pg_stat_activity a
JOIN unnest(%(pids)s::int[], %(queries)s::text[]) AS shown(pid, query_start)
  ON a.pid = shown.pid AND {utc_text("a.query_start")} = shown.query_start
WHERE a.state = 'active'"""


class Queries(Noun):
    """The sessions whose statement is to be cancelled: the one that `query_start` names, else the present one."""

    sessions: tuple[SessionName, ...] = Field(min_length=1, max_length=200)


class CancelQueries(WriteTool[Queries]):
    """Exact: another statement of the same session is never cancelled, nor one that has written since it was shown."""

    arguments = Queries
    spec: ClassVar[ToolSpec] = declare(
        "postgres.cancel_queries",
        "Cancel the running statement of named sessions; the sessions stay",
        Queries,
        effect="disruptive",
        klass="A",
        scope="exact",
        capabilities=("stop_statements",),
    )

    def preview(self, read: Reader, args: Queries) -> Preview:
        named = {
            "pids": [each.pid for each in args.sessions],
            "starts": [each.backend_start for each in args.sessions],
            "queries": [each.query_start for each in args.sessions],
        }
        rows = read(SHOW, named)
        shown = [{name: value for name, value in row.items() if name != "clock"} for row in rows]
        params = {
            "pids": [row["pid"] for row in shown],
            "starts": [row["backend_start"] for row in shown],
            "queries": [row["query_start"] for row in shown],
            "writes": [row["has_writes"] for row in shown],
        }
        return Preview(
            rows=tuple(shown),
            statements=(Statement(sql=CANCEL, params=params),),
            summary=f"{len(shown)} running statements would be cancelled",
            writes=any(row["has_writes"] for row in shown),
            undo=Undo.none("a cancelled statement is rolled back; its client may run it again"),
            clock=rows[0]["clock"] if rows else "",
        )

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        shown = [(row["pid"], row["query_start"]) for row in act.identities]
        alive = read(RUNNING, {"pids": [pid for pid, _ in shown], "queries": [start for _, start in shown]})[0]["alive"]
        if alive == 0:
            return Took(verdict="yes", because=f"none of the {len(shown)} statements runs any more")
        if alive == len(shown):
            return Took(verdict="no", because=f"all {alive} statements still run")
        return Took(verdict="cannot_tell", because=f"{alive} of {len(shown)} statements still run")

    def touched(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(row for row in rows if row.get("sent"))

    def nothing_done(self, act: Act, code: str) -> bool:
        """Signals go out row by row: an error after the first row says nothing about that row."""
        del code
        return len(act.identities) <= 1

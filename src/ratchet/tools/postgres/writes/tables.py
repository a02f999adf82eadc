"""Vacuums or analyzes one table; neither statement can test the clock, so the session's own limits bound it."""

from typing import Any, ClassVar, LiteralString

from psycopg import sql
from pydantic import Field

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.tool import Reader, Row, WriteTool, declare, utc_text

SHOW = f"""SELECT n.nspname::text AS schema, c.relname::text AS "table", current_database()::text AS database,
  pg_catalog.pg_total_relation_size(c.oid) AS size_bytes, s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
  s.vacuum_count, s.analyze_count, {utc_text("s.last_vacuum")} AS last_vacuum,
  {utc_text("s.last_analyze")} AS last_analyze, {utc_text("clock_timestamp()")} AS clock,
  {utc_text("pg_postmaster_start_time()")} AS server_started, {utc_text("d.stats_reset")} AS stats_reset,
  EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.relid = c.oid) AS vacuum_runs,
  EXISTS (SELECT FROM pg_stat_progress_analyze p WHERE p.relid = c.oid) AS analyze_runs
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pg_stat_database d ON d.datname = current_database()
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'm', 'p')"""


OWNER = """SELECT pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
  pg_has_role(%(role)s, c.relowner, 'USAGE') AS held,
  has_schema_privilege(%(role)s, n.oid, 'CREATE') AS may_create
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND c.relname = %(table)s"""


class TableName(Noun):
    """A table, materialized view or partitioned table of the target's database."""

    schema_name: str = Field(alias="schema", min_length=1, max_length=63)
    table: str = Field(min_length=1, max_length=63)


class TableToVacuum(TableName):
    """The table, and whether its statistics are gathered on the way."""

    analyze: bool = True


def find(read: Reader, table: TableName) -> Row | None:
    """The table as the catalog knows it."""
    rows = read(SHOW, {"schema": table.schema_name, "table": table.table})
    return rows[0] if rows else None


def over_table(read: Reader, act_role: str, table: TableName) -> str:
    """What a role lacks that must own the table; an empty text when it lacks nothing."""
    rows = read(OWNER, {"role": act_role, "schema": table.schema_name, "table": table.table})
    held = not rows or rows[0]["held"]
    return "" if held else f"ownership of the table: GRANT {rows[0]['owner']} TO {act_role}"


def to_create_in(read: Reader, act_role: str, table: TableName) -> str:
    """What a role lacks that must make something beside the table; an empty text when it lacks nothing."""
    rows = read(OWNER, {"role": act_role, "schema": table.schema_name, "table": table.table})
    held = not rows or rows[0]["may_create"]
    return "" if held else f"CREATE on the schema {table.schema_name}"


def composed(verb: LiteralString, row: Row) -> Statement:
    """`verb` on the table, its name quoted from the catalog's own spelling."""
    return Statement(
        sql=sql.SQL(verb + " {}").format(sql.Identifier(row["schema"], row["table"])).as_string().replace("%", "%%")
    )


def offered(row: Row | None, table: TableName, verb: LiteralString, undo: str) -> Preview:
    """The preview of one verb on one table; no rows where the table is not there."""
    if row is None:
        missing = f"there is no table {table.schema_name}.{table.table} in this database"
        return Preview(rows=(), statements=(), summary=missing, undo=Undo.none("there is nothing to do"))
    shown: dict[str, Any] = {name: value for name, value in row.items() if name != "clock"}
    return Preview(
        rows=(shown,),
        statements=(composed(verb, row),),
        summary=f"{verb} {row['schema']}.{row['table']}: {row['dead_rows']} dead rows, {row['size_bytes']} bytes",
        undo=Undo.none(undo),
        clock=row["clock"],
    )


def counted(read: Reader, act: Act, counter: str, runs: str) -> Took:
    """Judged by the table's own count of finished runs, which shows in the act's identity.

    A crash takes the counts away, and so does a reset of the statistics: then nobody can tell.
    """
    shown = act.identities[0]
    row = find(read, TableName(schema=shown["schema"], table=shown["table"]))
    if row is None:
        return Took(verdict="cannot_tell", because="the table is no longer there")
    if row[runs]:
        return Took(verdict="cannot_tell", because="such a run is in progress on the table")
    before, now = shown.get(counter), row[counter]
    if before is None or now is None:
        return Took(verdict="cannot_tell", because=f"the server keeps no {counter} for the table")
    if any(shown.get(since) != row[since] for since in ("server_started", "stats_reset")) or now < before:
        because = f"the server or its statistics began anew since {counter} was {before}; now it is {now}"
        return Took(verdict="cannot_tell", because=because)
    if now > before:
        return Took(verdict="yes", because=f"{counter} went from {before} to {now}")
    return Took(verdict="no", because=f"{counter} is still {now}")


class VacuumTable(WriteTool[TableToVacuum]):
    """Reclaims dead rows without blocking reads or writes."""

    arguments = TableToVacuum
    patience: ClassVar[float] = 3600.0
    answers_rows: ClassVar[bool] = False
    spec: ClassVar[ToolSpec] = declare(
        "postgres.vacuum_table",
        "Vacuum one table (never FULL), with or without gathering statistics",
        TableToVacuum,
        effect="reversible",
        klass="B",
        scope="exact",
        capabilities=("reclaim_dead_rows",),
    )

    def preview(self, read: Reader, args: TableToVacuum) -> Preview:
        verb: LiteralString = "VACUUM (ANALYZE)" if args.analyze else "VACUUM"
        return offered(find(read, args), args, verb, "vacuuming removes only what nobody can see any more")

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        return counted(read, act, "vacuum_count", "vacuum_runs")

    def nothing_done(self, act: Act, code: str) -> bool:
        """A vacuum works outside a transaction: only a refusal before it began leaves nothing behind."""
        del act
        return code in ("42501", "42P01", "3F000", "25001", "55P03", "42601")


class AnalyzeTable(WriteTool[TableName]):
    """Gathers the planner's statistics of a table anew."""

    arguments = TableName
    patience: ClassVar[float] = 600.0
    answers_rows: ClassVar[bool] = False
    spec: ClassVar[ToolSpec] = declare(
        "postgres.analyze_table",
        "Gather the planner's statistics of one table anew",
        TableName,
        effect="reversible",
        klass="B",
        scope="exact",
        capabilities=("refresh_statistics",),
    )

    def preview(self, read: Reader, args: TableName) -> Preview:
        return offered(find(read, args), args, "ANALYZE", "statistics are gathered anew from the data at any time")

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        return counted(read, act, "analyze_count", "analyze_runs")

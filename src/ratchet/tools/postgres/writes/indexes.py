"""Builds one index, or drops those that serve nobody; both concurrently, so that no reader or writer waits."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from psycopg import sql
from pydantic import Field

from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.spelling import bound_free
from ratchet.tools.postgres.writes.tables import TableName, over_table, to_create_in
from ratchet.tools.tool import NOT_LATE, Reader, Row, WriteTool, declare, utc_text

COLUMN = f"""SELECT n.nspname::text AS schema, c.relname::text AS "table", a.attname::text AS "column",
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, pg_catalog.pg_table_size(c.oid) AS size_bytes,
  s.n_live_tup AS live_rows, {utc_text("clock_timestamp()")} AS clock,
  (SELECT count(*)::int FROM pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum) AS led_by_it,
  ARRAY(SELECT r.relname::text FROM pg_class r WHERE r.relnamespace = c.relnamespace
        AND starts_with(r.relname::text, left(c.relname::text || '_' || a.attname::text, 55))) AS taken
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND a.attname = %(column)s AND c.relkind = 'r'"""

BUILT = """SELECT i.indisvalid AS valid,
  EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS building
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(index)s"""

DROPPABLE = f"""WITH mine AS (
  SELECT i.indexrelid, i.indisvalid, i.indisunique, i.indisreplident, i.indisclustered,
    row_number() OVER same AS place, first_value(i.indexrelid) OVER same AS keeper
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind = 'r')
  WINDOW same AS (PARTITION BY x.relam, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
      i.indnkeyatts, i.indexprs::text, i.indpred::text, i.indisvalid AND i.indisready AND i.indislive
    ORDER BY EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) DESC, i.indisunique DESC,
      i.indisreplident DESC, i.indisclustered DESC, i.indexrelid))
SELECT m.indexrelid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS index,
  CASE WHEN m.indisvalid THEN m.keeper::regclass::text ELSE '' END AS duplicate_of,
  pg_catalog.pg_get_indexdef(m.indexrelid) AS definition, pg_catalog.pg_relation_size(m.indexrelid) AS size_bytes,
  coalesce(pg_catalog.pg_stat_get_numscans(m.indexrelid), 0) AS scans, {utc_text("clock_timestamp()")} AS clock
FROM mine m JOIN pg_class c ON c.oid = m.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = m.indexrelid)
  AND NOT m.indisreplident AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = m.indexrelid)
  AND (%(index)s::text = '' OR c.relname = %(index)s::text)
  AND CASE %(which)s::text
    WHEN 'duplicate' THEN m.indisvalid AND m.place > 1 AND NOT m.indisunique AND NOT m.indisclustered
      AND coalesce(pg_catalog.pg_stat_get_numscans(m.indexrelid), 0) = 0
    ELSE NOT m.indisvalid
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = m.indexrelid) END
ORDER BY c.relname LIMIT 50"""

LEFT = f"""SELECT count(c.oid)::int AS left_over FROM unnest(%(oids)s::oid[]) AS shown(oid)
LEFT JOIN pg_class c ON c.oid = shown.oid HAVING {NOT_LATE}"""
STANDING = """SELECT count(c.oid)::int AS alive, count(same.oid) FILTER (WHERE c.oid IS NULL)::int AS made_anew
FROM unnest(%(oids)s::oid[], %(schemas)s::text[], %(names)s::text[]) AS shown(oid, schema, name)
LEFT JOIN pg_class c ON c.oid = shown.oid
LEFT JOIN (pg_class same JOIN pg_namespace n ON n.oid = same.relnamespace)
  ON same.relname = shown.name AND n.nspname = shown.schema"""

BEFORE_IT_BEGAN = frozenset({"42501", "42P01", "42P07", "42703", "3F000", "25001", "42601", "42704"})
"""Errors that come before a concurrent build or drop does anything; any other may leave an index that is not valid."""


class ColumnToIndex(TableName):
    """One column of one table."""

    column: str = Field(min_length=1, max_length=63)


class IndexesToDrop(TableName):
    """Which indexes of a table: exact duplicates that were never used, or those that are not valid; or one of them."""

    which: Literal["duplicate", "invalid"]
    index: str = Field(default="", max_length=63)


class CreateIndex(WriteTool[ColumnToIndex]):
    """An index with one column. Its name is new, so that it can be told from every other, also half built."""

    arguments = ColumnToIndex
    patience: ClassVar[float] = 3600.0
    lock_limit: ClassVar[float] = 0.0
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.create_index",
        "Build an index on one column of a table, concurrently",
        ColumnToIndex,
        effect="reversible",
        klass="B",
        scope="exact",
        capabilities=("build_index",),
    )

    def preview(self, read: Reader, args: ColumnToIndex) -> Preview:
        rows = read(COLUMN, {"schema": args.schema_name, "table": args.table, "column": args.column})
        if not rows or rows[0]["led_by_it"]:
            lacking = "an index begins with it already" if rows else "there is no such column of an ordinary table"
            said = f"{args.schema_name}.{args.table} ({args.column}): {lacking}"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        row = rows[0]
        named = sql.Identifier(_free_name(row))
        whole = sql.Identifier(row["schema"], _free_name(row))
        table, column = sql.Identifier(row["schema"], row["table"]), sql.Identifier(row["column"])
        build = sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({})").format(named, table, column)
        drop = sql.SQL("DROP INDEX CONCURRENTLY {}").format(whole)
        hidden = ("clock", "taken", "led_by_it")
        shown = {name: value for name, value in row.items() if name not in hidden} | {"index": _free_name(row)}
        return Preview(
            rows=(shown,),
            statements=(Statement(sql=bound_free(build)),),
            summary=f"an index on {row['column']} of {row['live_rows']} rows, {row['size_bytes']} bytes",
            undo=Undo(possible=True, statements=(Statement(sql=bound_free(drop)),), note="drop the new index"),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: ColumnToIndex, act_role: str) -> str:
        return over_table(read, act_role, args) or to_create_in(read, act_role, args)

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        shown = act.identities[0]
        rows = read(BUILT, {"schema": shown["schema"], "index": shown["index"]})
        if not rows:
            return Took(verdict="no", because=f"there is no index {shown['index']}")
        if rows[0]["valid"]:
            return Took(verdict="yes", because=f"{shown['index']} is built and valid")
        still = "is being built" if rows[0]["building"] else "is there and not valid: drop it"
        return Took(verdict="cannot_tell", because=f"{shown['index']} {still}")

    def nothing_done(self, act: Act, code: str) -> bool:
        """A concurrent build works outside a transaction: a later failure leaves an index that is not valid."""
        del act
        return code in BEFORE_IT_BEGAN


class DropIndexes(WriteTool[IndexesToDrop]):
    """Only indexes that fit when it is shown: nothing that a constraint, uniqueness or replication rests on."""

    arguments = IndexesToDrop
    patience: ClassVar[float] = 600.0
    lock_limit: ClassVar[float] = 0.0
    answers_rows: ClassVar[bool] = False
    spec: ClassVar[ToolSpec] = declare(
        "postgres.drop_indexes",
        "Drop indexes of a table that are exact unused duplicates, or not valid, concurrently",
        IndexesToDrop,
        effect="reversible",
        klass="B",
        scope="exact",
        capabilities=("drop_useless_indexes",),
    )

    def preview(self, read: Reader, args: IndexesToDrop) -> Preview:
        asked = {"schema": args.schema_name, "table": args.table, "index": args.index, "which": args.which}
        rows = read(DROPPABLE, asked)
        if not rows:
            said = f"no index of {args.schema_name}.{args.table} fits: {args.which}, in no constraint"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        shown = tuple({name: value for name, value in row.items() if name != "clock"} for row in rows)
        oids = {"oids": [row["oid"] for row in shown]}
        return Preview(
            rows=shown,
            statements=(*(_drop(row) for row in shown), Statement(sql=LEFT, params=oids)),
            summary=f"{len(shown)} indexes would be dropped, {sum(row['size_bytes'] for row in shown)} bytes",
            undo=_back(shown, args.which),
            clock=rows[0]["clock"],
        )

    def lacking(self, read: Reader, args: IndexesToDrop, act_role: str) -> str:
        return over_table(read, act_role, args)

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        shown = {"oids": "oid", "schemas": "schema", "names": "index"}
        row = read(STANDING, {name: [each[key] for each in act.identities] for name, key in shown.items()})[0]
        alive, count = int(row["alive"]), len(act.identities)
        if row["made_anew"]:
            return Took(verdict="cannot_tell", because=f"{row['made_anew']} of {count} indexes were made anew")
        if alive == 0:
            return Took(verdict="yes", because=f"all {count} indexes are gone")
        verdict = "no" if alive == count else "cannot_tell"
        return Took(verdict=verdict, because=f"{alive} of {count} indexes are still there")

    def nothing_done(self, act: Act, code: str) -> bool:
        """A drop that waits has marked its index already: only a refusal before it began leaves everything."""
        del act
        return code in BEFORE_IT_BEGAN


def _free_name(row: Row) -> str:
    """`table_column_idx`, with a number where that name is taken."""
    stem = f"{row['table']}_{row['column']}".encode()[:50].decode(errors="ignore")
    names = (f"{stem}_idx", *(f"{stem}_idx{n}" for n in range(1, 1000)))
    return next(name for name in names if name not in row["taken"])


def _drop(row: Mapping[str, Any]) -> Statement:
    form = sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(row["schema"], row["index"]))
    return Statement(sql=bound_free(form))


def _back(rows: tuple[Row, ...], which: str) -> Undo:
    """The definitions are the server's own text, quoted by it."""
    if which == "invalid":
        return Undo.none("an index that is not valid serves nobody; its definition stands in the packet")
    again = [str(row["definition"]).replace(" INDEX ", " INDEX CONCURRENTLY ", 1).replace("%", "%%") for row in rows]
    note = "build the same indexes again, concurrently"
    return Undo(possible=True, statements=tuple(Statement(sql=text) for text in again), note=note)

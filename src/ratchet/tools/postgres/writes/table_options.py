"""Takes back a storage option of one table, such as its own autovacuum switch, with the exact way back."""

from typing import ClassVar, Literal

from psycopg import sql

from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.spelling import bound_free
from ratchet.tools.postgres.writes.tables import TableName, over_table
from ratchet.tools.tool import Reader, Row, WriteTool, declare, utc_text

Option = Literal[
    "autovacuum_enabled", "autovacuum_vacuum_threshold", "autovacuum_vacuum_scale_factor",
    "autovacuum_analyze_threshold", "autovacuum_analyze_scale_factor", "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
]  # fmt: skip
"""Options that decide when a table is cleaned; none of them touches its content."""

PRESENT = f"""SELECT n.nspname::text AS schema, c.relname::text AS "table", o.option_name AS option,
  o.option_value AS current, {utc_text("clock_timestamp()")} AS clock
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.pg_options_to_table(c.reloptions) AS o
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'm') AND o.option_name = %(option)s"""


class TableOption(TableName):
    """One option of one table."""

    option: Option


class ResetTableOption(WriteTool[TableOption]):
    """ALTER TABLE ... RESET takes a lock that readers and writers do not notice, and cannot test the clock."""

    arguments = TableOption
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.reset_table_option",
        "Take back an autovacuum option of one table",
        TableOption,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("restore_table_option",),
    )

    def preview(self, read: Reader, args: TableOption) -> Preview:
        row = _present(read, args)
        if row is None:
            said = f"{args.option} is not set on {args.schema_name}.{args.table}"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        table, option = sql.Identifier(row["schema"], row["table"]), sql.Identifier(args.option)
        reset = sql.SQL("ALTER TABLE {} RESET ({})").format(table, option)
        back = sql.SQL("ALTER TABLE {} SET ({} = {})").format(table, option, sql.Literal(row["current"]))
        return Preview(
            rows=({name: value for name, value in row.items() if name != "clock"},),
            statements=(Statement(sql=bound_free(reset)),),
            summary=f"{args.option} = {row['current']} of {row['schema']}.{row['table']} would be taken back",
            undo=Undo(
                possible=True, statements=(Statement(sql=bound_free(back)),), note=f"set it to {row['current']} again"
            ),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: TableOption, act_role: str) -> str:
        return over_table(read, act_role, args)

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        row = _present(read, self.parse(act.args))
        if row is None:
            return Took(verdict="yes", because="the option is no longer there")
        if row["current"] == act.identities[0].get("current"):
            return Took(verdict="no", because=f"the option still is {row['current']}")
        return Took(verdict="cannot_tell", because=f"the option now is {row['current']}, which is neither")


def _present(read: Reader, args: TableOption) -> Row | None:
    rows = read(PRESENT, {"schema": args.schema_name, "table": args.table, "option": args.option})
    return rows[0] if rows else None

"""Sets the connection limit of one database; -1 takes it away."""

from typing import ClassVar

from psycopg import sql
from pydantic import Field

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.allowed import over_database
from ratchet.tools.postgres.writes.spelling import bound_free
from ratchet.tools.tool import Reader, WriteTool, declare, utc_text

SHOW = f"""SELECT d.datname::text AS database, d.datconnlimit AS current,
  pg_get_userbyid(d.datdba)::text AS owner, d.datallowconn AS accepts,
  (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend') AS used,
  {utc_text("clock_timestamp()")} AS clock
FROM pg_database d WHERE d.datname = %(database)s"""


class DatabaseLimit(Noun):
    """A database and the connections it may have; -1 is no limit of its own."""

    database: str = Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f]+$")
    limit: int = Field(default=-1, ge=-1, le=100_000)


class LimitDatabase(WriteTool[DatabaseLimit]):
    """Absolute and repeatable; it counts for the next login and ends no session."""

    arguments = DatabaseLimit
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.limit_database",
        "Set or take away the connection limit of one database",
        DatabaseLimit,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("raise_connection_limit",),
    )

    def preview(self, read: Reader, args: DatabaseLimit) -> Preview:
        rows = read(SHOW, {"database": args.database})
        if not rows or rows[0]["current"] == args.limit:
            said = f"the limit of {args.database} is {args.limit}" if rows else f"there is no database {args.database}"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        row = rows[0]
        # How many sessions there are changes by the second; it is no part of what is approved.
        shown = {name: value for name, value in row.items() if name not in ("clock", "used")}
        new = "no limit of its own" if args.limit < 0 else f"a limit of {args.limit}"
        return Preview(
            rows=({**shown, "wanted": args.limit},),
            statements=(_altered(args.database, args.limit),),
            summary=f"{args.database} has {row['used']} of {row['current']} connections and would have {new}",
            undo=Undo(
                possible=True,
                statements=(_altered(args.database, row["current"]),),
                note=f"set the limit to {row['current']} again",
            ),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: DatabaseLimit, act_role: str) -> str:
        return over_database(read, act_role, args.database)

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        shown = act.identities[0]
        rows = read(SHOW, {"database": shown["database"]})
        if not rows:
            return Took(verdict="cannot_tell", because="the database is no longer there")
        now = rows[0]["current"]
        if now == shown["wanted"]:
            return Took(verdict="yes", because=f"the limit is {now}")
        if now == shown["current"]:
            return Took(verdict="no", because=f"the limit still is {now}")
        return Took(verdict="cannot_tell", because=f"the limit now is {now}, which is neither")


def _altered(database: str, limit: int) -> Statement:
    form = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.Identifier(database), sql.Literal(limit))
    return Statement(sql=bound_free(form))

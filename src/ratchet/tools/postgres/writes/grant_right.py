"""Grants one role the few rights that its statement lacks on one table, sequence or schema, and nothing more."""

from typing import ClassVar, Literal

from psycopg import sql
from pydantic import Field, model_validator

from ratchet.domain.errors import forbidden
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.allowed import over_owned
from ratchet.tools.postgres.writes.spelling import bound_free
from ratchet.tools.tool import Reader, Row, WriteTool, declare, utc_text

On = Literal["table", "sequence", "schema"]
RIGHTS: dict[On, frozenset[str]] = {
    "table": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"}),
    "sequence": frozenset({"USAGE", "SELECT"}),
    "schema": frozenset({"USAGE"}),
}
"""What may be granted; nothing that hands rights on or makes objects."""
KINDS: dict[On, str] = {"table": "rpvmf", "sequence": "S", "schema": ""}

_LACKS = (
    "(SELECT coalesce(array_agg(w.need ORDER BY w.need), '{{}}') FROM unnest(%(rights)s::text[]) w(need) WHERE NOT {})"
)
RELATION = f"""SELECT n.nspname::text AS schema, c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
  r.rolname::text AS role, r.rolcanlogin AS can_login, coalesce(c.relacl::text, '') AS rights_now,
  {
    _LACKS.format(
        "CASE c.relkind WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, w.need) "
        "ELSE has_table_privilege(r.oid, c.oid, w.need) END"
    )
} AS lacks,
  {utc_text("clock_timestamp()")} AS clock
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.rolname = %(role)s
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND strpos(%(kinds)s, c.relkind::text) > 0"""
SCHEMA = f"""SELECT n.nspname::text AS schema, '' AS name, pg_get_userbyid(n.nspowner)::text AS owner,
  r.rolname::text AS role, r.rolcanlogin AS can_login, coalesce(n.nspacl::text, '') AS rights_now,
  {_LACKS.format("has_schema_privilege(r.oid, n.oid, w.need)")} AS lacks, {utc_text("clock_timestamp()")} AS clock
FROM pg_namespace n JOIN pg_roles r ON r.rolname = %(role)s WHERE n.nspname = %(schema)s"""


class Right(Noun):
    """What is granted, on what, to whom. `name` is left out for a schema."""

    on: On
    schema_name: str = Field(alias="schema", min_length=1, max_length=63)
    name: str = Field(default="", max_length=63)
    role: str = Field(min_length=1, max_length=63)
    rights: tuple[str, ...] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _fits(self) -> "Right":
        if not set(self.rights) <= RIGHTS[self.on]:
            raise ValueError(f"on a {self.on} these can be granted: {', '.join(sorted(RIGHTS[self.on]))}")
        if (self.on == "schema") == bool(self.name):
            raise ValueError("a table or sequence needs its name, a schema has none of its own")
        return self


class GrantRight(WriteTool[Right]):
    """Only what the role lacks now is granted, never with GRANT OPTION, never to everybody."""

    arguments = Right
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.grant_right",
        "Grant one role named rights that it lacks on one table, sequence or schema",
        Right,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("restore_right",),
    )

    def preview(self, read: Reader, args: Right) -> Preview:
        row = _found(read, args)
        if row is None or not row["lacks"]:
            said = f"{args.role} has these rights already" if row else f"there is no such {args.on}, or no such role"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        if args.schema_name in ("pg_catalog", "information_schema") or args.schema_name.startswith("pg_"):
            raise forbidden("Rights on the catalog are not granted from here.", "Do this one by hand.")
        lacks = [str(right) for right in row["lacks"]]
        said = f"{', '.join(lacks)} on {args.on} {_place(row)} would be granted to {args.role}"
        return Preview(
            rows=({"on": args.on, **{name: value for name, value in row.items() if name != "clock"}},),
            statements=(_statement("GRANT", args, row, lacks),),
            summary=said,
            undo=Undo(
                possible=True,
                statements=(_statement("REVOKE", args, row, lacks),),
                note=f"revoke {', '.join(lacks)} again",
            ),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: Right, act_role: str) -> str:
        row = _found(read, args)
        return over_owned(read, act_role, row["owner"]) if row else ""

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        row = _found(read, self.parse(act.args))
        if row is None:
            return Took(verdict="cannot_tell", because="the object or the role is no longer there")
        if not row["lacks"]:
            return Took(verdict="yes", because="the role has these rights")
        if row["lacks"] == act.identities[0]["lacks"]:
            return Took(verdict="no", because=f"the role still lacks {', '.join(row['lacks'])}")
        return Took(verdict="cannot_tell", because=f"the role lacks {', '.join(row['lacks'])}, which is neither")


def _found(read: Reader, args: Right) -> Row | None:
    params = {"schema": args.schema_name, "name": args.name, "role": args.role, "kinds": KINDS[args.on],
              "rights": sorted(args.rights)}  # fmt: skip
    rows = read(SCHEMA if args.on == "schema" else RELATION, params)
    return rows[0] if rows else None


def _place(row: Row) -> str:
    return f"{row['schema']}.{row['name']}" if row["name"] else str(row["schema"])


def _statement(verb: Literal["GRANT", "REVOKE"], args: Right, row: Row, rights: list[str]) -> Statement:
    forms = {"GRANT": sql.SQL("GRANT {rights} ON {on} {what} TO {role}"),
             "REVOKE": sql.SQL("REVOKE {rights} ON {on} {what} FROM {role}")}  # fmt: skip
    words = {"table": sql.SQL("TABLE"), "sequence": sql.SQL("SEQUENCE"), "schema": sql.SQL("SCHEMA")}
    known = {"SELECT": sql.SQL("SELECT"), "INSERT": sql.SQL("INSERT"), "UPDATE": sql.SQL("UPDATE"),
             "DELETE": sql.SQL("DELETE"), "USAGE": sql.SQL("USAGE")}  # fmt: skip
    names = (row["schema"], row["name"]) if row["name"] else (row["schema"],)
    composed = forms[verb].format(
        rights=sql.SQL(", ").join([known[right] for right in rights]),
        on=words[args.on],
        what=sql.Identifier(*names),
        role=sql.Identifier(row["role"]),
    )
    return Statement(sql=bound_free(composed))

"""Gives LOGIN back to one role that lost it."""

from typing import ClassVar

from psycopg import sql
from pydantic import Field

from ratchet.domain.errors import forbidden
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.allowed import over_role
from ratchet.tools.postgres.writes.spelling import bound_free
from ratchet.tools.tool import Reader, WriteTool, declare, utc_text

SHOW = f"""SELECT r.rolname::text AS role, r.rolcanlogin AS can_login, r.rolsuper AS superuser,
  r.rolcreaterole AS creates_roles, r.rolreplication AS replication, r.rolbypassrls AS bypasses_rls,
  (SELECT count(*) FROM pg_auth_members m WHERE m.roleid = r.oid) AS members,
  {utc_text("r.rolvaliduntil")} AS valid_until, {utc_text("clock_timestamp()")} AS clock
FROM pg_roles r WHERE r.rolname = %(role)s"""


class RoleName(Noun):
    """A role of the server."""

    role: str = Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f]+$")


class AllowLogin(WriteTool[RoleName]):
    """Absolute and repeatable. A role with rights over the whole server is never let in again from here."""

    arguments = RoleName
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.allow_login",
        "Give LOGIN back to one role that is no superuser",
        RoleName,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("restore_login",),
    )

    def preview(self, read: Reader, args: RoleName) -> Preview:
        rows = read(SHOW, {"role": args.role})
        if not rows or rows[0]["can_login"]:
            said = f"{args.role} may log in already" if rows else f"there is no role {args.role}"
            return Preview(rows=(), statements=(), summary=said, undo=Undo.none("there is nothing to do"))
        row = rows[0]
        if row["superuser"] or row["creates_roles"] or row["bypasses_rls"] or args.role.startswith("pg_"):
            raise forbidden(
                f"{args.role} has rights over the whole server; it is not let in again by automation.",
                "Ask who took LOGIN from it and why; give it back by hand.",
            )
        shown = {name: value for name, value in row.items() if name != "clock"}
        return Preview(
            rows=(shown,),
            statements=(_altered(args.role, "LOGIN"),),
            summary=f"{args.role} may log in again, with the password it had",
            undo=Undo(
                possible=True, statements=(_altered(args.role, "NOLOGIN"),), note=f"take LOGIN from {args.role} again"
            ),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: RoleName, act_role: str) -> str:
        return over_role(read, act_role, args.role)

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        rows = read(SHOW, {"role": act.identities[0]["role"]})
        if not rows:
            return Took(verdict="cannot_tell", because="the role is no longer there")
        if rows[0]["can_login"]:
            return Took(verdict="yes", because="the role may log in")
        return Took(verdict="no", because="the role still may not log in")


def _altered(role: str, attribute: str) -> Statement:
    form = sql.SQL("ALTER ROLE {} LOGIN") if attribute == "LOGIN" else sql.SQL("ALTER ROLE {} NOLOGIN")
    return Statement(sql=bound_free(form.format(sql.Identifier(role))))

"""Takes back a setting: ALTER SYSTEM, ALTER ROLE or ALTER DATABASE ... RESET, with the exact way back."""

from typing import Any, ClassVar, Literal

from psycopg import sql
from pydantic import Field, model_validator

from ratchet.domain.errors import forbidden
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.allowed import over_database, over_role
from ratchet.tools.postgres.writes.spelling import bound_free, setting_name, setting_value
from ratchet.tools.tool import NOT_LATE, Reader, Row, WriteTool, declare, utc_text

SYSTEM_SETTINGS = frozenset({
    "autovacuum", "autovacuum_analyze_scale_factor", "autovacuum_analyze_threshold", "autovacuum_max_workers",
    "autovacuum_naptime", "autovacuum_vacuum_cost_delay", "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_threshold", "checkpoint_completion_target",
    "checkpoint_timeout", "default_statistics_target", "default_transaction_read_only", "effective_cache_size",
    "hot_standby_feedback", "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout",
    "log_min_duration_statement", "log_statement", "maintenance_work_mem", "max_connections",
    "max_parallel_workers_per_gather", "max_slot_wal_keep_size", "max_standby_archive_delay",
    "max_standby_streaming_delay", "max_wal_size", "random_page_cost", "recovery_min_apply_delay", "shared_buffers",
    "statement_timeout", "synchronous_commit", "temp_file_limit", "wal_keep_size", "work_mem",
})  # fmt: skip
"""What may be reset for the whole server: the act role gets ALTER SYSTEM on these parameters and no others."""

Scope = Literal["system", "role", "database"]

CATALOG = f"""SELECT coalesce(r.rolname::text, '') AS role, coalesce(d.datname::text, '') AS database,
  substr(each.entry, length(%(name)s) + 2) AS current, {utc_text("clock_timestamp()")} AS clock
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) AS each(entry)
LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE lower(split_part(each.entry, '=', 1)) = lower(%(name)s)
  AND coalesce(r.rolname::text, '') = %(role)s AND coalesce(d.datname::text, '') = %(database)s"""
SYSTEM = f"""SELECT f.setting AS current, f.sourcefile AS source, f.applied, f.error, g.setting AS in_force, g.context,
  g.pending_restart, {utc_text("clock_timestamp()")} AS clock
FROM pg_file_settings f LEFT JOIN pg_settings g ON lower(g.name) = lower(f.name)
WHERE lower(f.name) = lower(%(name)s) AND f.sourcefile LIKE '%%postgresql.auto.conf' ORDER BY f.seqno DESC LIMIT 1"""
OURS = """SELECT name FROM pg_settings WHERE lower(name) = lower(%(name)s) AND source IN ('client', 'session')"""
"""Whether the session that looks has a value of its own, so that it does not see the server's."""
RELOAD = Statement(sql=f"SELECT pg_reload_conf() AS reloaded WHERE {NOT_LATE}")


class SettingName(Noun):
    """A setting and whose it is: the server's, a role's (perhaps in one database), or a database's."""

    scope: Scope
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$", max_length=120)
    role: str = ""
    database: str = ""

    @model_validator(mode="after")
    def _whose(self) -> "SettingName":
        given = (bool(self.role), bool(self.database))
        fits = {"system": given == (False, False), "role": given[0], "database": given == (False, True)}
        if not fits[self.scope]:
            raise ValueError("scope role needs role, scope database needs database only, scope system neither")
        return self


class ResetSetting(WriteTool[SettingName]):
    """ALTER cannot test the clock; the session's idle and statement limits stand in for it."""

    arguments = SettingName
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.reset_setting",
        "Take back a setting of the server, a role or a database",
        SettingName,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("restore_setting",),
    )

    def preview(self, read: Reader, args: SettingName) -> Preview:
        row = present(read, args)
        if row is None:
            nothing = f"{args.name} is not set there; there is nothing to take back"
            return Preview(rows=(), statements=(), summary=nothing, undo=Undo.none("there is nothing to do"))
        shown = {"scope": args.scope, "setting": args.name, "role": args.role, "database": args.database}
        shown |= {name: value for name, value in row.items() if name != "clock"}
        return Preview(
            rows=(shown,),
            statements=_with_reload(args, _altered(args, None)),
            summary=f"{args.name} = {row['current']!r} would be reset. {_when(args, row)}",
            undo=Undo(
                possible=True,
                statements=_with_reload(args, _altered(args, row["current"])),
                note=f"set {args.name} to {row['current']!r} again",
            ),
            clock=row["clock"],
        )

    def lacking(self, read: Reader, args: SettingName, act_role: str) -> str:
        match args.scope:
            case "role":
                return over_role(read, act_role, args.role)
            case "database":
                return over_database(read, act_role, args.database)
            case "system":
                return ""

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del grant
        row = present(read, self.parse(act.args))
        if row is None:
            return Took(verdict="yes", because="the setting is no longer there")
        if row["current"] == act.identities[0].get("current"):
            return Took(verdict="no", because=f"the setting still is {row['current']!r}")
        return Took(verdict="cannot_tell", because=f"the setting now is {row['current']!r}, which is neither")

    def taken_back(self, read: Reader, act: Act, grant: Grant) -> Took:
        """A setting of the server that is written again but not in force again was not read yet."""
        back = super().taken_back(read, act, grant)
        args = self.parse(act.args)
        row = present(read, args) if back.verdict == "yes" and args.scope == "system" else None
        if row is None:
            return back
        if row["in_force"] != act.identities[0].get("in_force"):
            return Took(verdict="cannot_tell", because=f"{back.because}, but that is not in force")
        if read(OURS, {"name": args.name}):
            return Took(
                verdict="cannot_tell", because=f"{back.because}; whether that is in force, no session here sees"
            )
        return back


def present(read: Reader, args: SettingName) -> Row | None:
    """The setting as it stands where it was set; None where it is not."""
    if args.scope == "system":
        if args.name.lower() not in SYSTEM_SETTINGS:
            raise forbidden(
                f"{args.name} is not among the server settings that may be reset.",
                f"Reset it by hand, or name one of: {', '.join(sorted(SYSTEM_SETTINGS))}.",
            )
        rows = read(SYSTEM, {"name": args.name})
    else:
        rows = read(CATALOG, {"name": args.name, "role": args.role, "database": args.database})
        rows = [{**row, "source": f"pg_db_role_setting ({args.scope})"} for row in rows]
        rows = [{name: value for name, value in row.items() if name not in ("role", "database")} for row in rows]
    return rows[0] if rows else None


def _altered(args: SettingName, value: str | None) -> Statement:
    verb: dict[str, Any] = {
        "whose": _whose(args),
        "name": setting_name(args.name),
        "value": setting_value(args.name, value or ""),
    }
    form = "ALTER {whose} RESET {name}" if value is None else "ALTER {whose} SET {name} = {value}"
    return Statement(sql=bound_free(sql.SQL(form).format(**verb)))


def _whose(args: SettingName) -> sql.Composable:
    if args.scope == "system":
        return sql.SQL("SYSTEM")
    if args.scope == "database":
        return sql.SQL("DATABASE {}").format(sql.Identifier(args.database))
    within = sql.SQL(" IN DATABASE {}").format(sql.Identifier(args.database)) if args.database else sql.SQL("")
    return sql.SQL("ROLE {}{}").format(sql.Identifier(args.role), within)


def _with_reload(args: SettingName, altered: Statement) -> tuple[Statement, ...]:
    return (altered, RELOAD) if args.scope == "system" else (altered,)


def _when(args: SettingName, row: Row) -> str:
    if args.scope != "system":
        return "It counts for new sessions; present ones keep it."
    if row.get("context") == "postmaster":
        return "It counts only after a restart of the server."
    return "It counts at once, through a reload."

"""Makes the two roles that Ratchet works with, from an administrator's login, each with the least rights."""

import secrets
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.noun import Noun
from ratchet.domain.ports import Clock
from ratchet.security.secrets import Secret
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.line import Line, open_line
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.rights import ACT_RIGHTS, ActRight, taken_back
from ratchet.tools.postgres.session import bounded

LIMIT = 20.0
DIAG_SESSIONS = 6
ACT_SESSIONS = 3
DIAG_PRIVILEGES = ("pg_monitor", "pg_hba_file_rules", "pg_file_settings")
RESERVED = 160_000
"""From this version a role may be let into slots that are kept free of everybody else."""
SIGNED = "Ratchet: target "
"""How the comment of a provisioned role begins; the name of its target follows."""
OPT_INS = frozenset({"log", "slots", "role_settings"})


class Provisioned(Noun):
    """The roles that were made, with whole connection strings; nothing of it is kept anywhere else."""

    diag_role: str
    act_role: str
    diag: Secret
    act: Secret
    at: datetime
    left_out: tuple[str, ...] = Field(default=())
    """Rights that no least-rights grant gives on this server, or that were not asked for."""


def provision(admin: Secret, name: str, clock: Clock, allow: frozenset[str] = frozenset()) -> Provisioned:
    """Create or mend both roles and give them new passwords; may be repeated. Raises Refusal.

    `allow` holds opt-ins: `log` (reading the server's log), `slots` (REPLICATION), `role_settings` (CREATEROLE). One
    that was given before and is not asked for now is taken back. Roles that were made for a target of another name,
    which gives the same names of roles, are left alone: Refusal(CONFLICT).
    A password leaves this process only as a SCRAM verifier, so neither log nor pg_stat_activity ever shows it.
    """
    if not allow <= OPT_INS:
        raise Refusal(Code.INVALID, f"Unknown opt-in: {', '.join(sorted(allow - OPT_INS))}.",
                      f"There are: {', '.join(sorted(OPT_INS))}.")  # fmt: skip
    slug = name.lower().replace("-", "_").replace(".", "_")
    diag_role, act_role = f"ratchet_diag_{slug}"[:63], f"ratchet_act_{slug}"[:63]
    words = {role: secrets.token_urlsafe(24) for role in (diag_role, act_role)}
    try:
        line = open_line(admin.reveal(), "ratchet:provision")
        try:
            with bounded(line, LIMIT), line.transaction():
                _own(line, (diag_role, act_role), name)
                _role(line, diag_role, words[diag_role], DIAG_SESSIONS)
                _role(line, act_role, words[act_role], ACT_SESSIONS)
                _sign(line, (diag_role, act_role), name)
                _diag(line, diag_role, allow)
                left_out = _act(line, act_role, allow)
        finally:
            line.close()
    except NoAnswer as failed:
        raise Refusal(
            Code.FAILED,
            f"The roles could not be made: {failed.detail}",
            "Give the login of a superuser of the primary, or make the roles by hand with the lines of `target check`.",
        ) from None
    strings = {role: _conninfo(admin, role, word) for role, word in words.items()}
    return Provisioned(
        diag_role=diag_role, act_role=act_role, diag=strings[diag_role], act=strings[act_role], at=clock(),
        left_out=left_out,
    )  # fmt: skip


def _own(line: Line, roles: tuple[str, str], name: str) -> None:
    """Refuse roles that say of themselves that they are another target's; others' passwords would end here."""
    asked = "SELECT pg_catalog.shobj_description(oid, 'pg_authid') AS said FROM pg_catalog.pg_roles WHERE rolname = %s"
    for role in roles:
        row = line.execute(asked, [role]).fetchone()
        said = str((row["said"] if row else "") or "")
        if said.startswith(SIGNED) and said != SIGNED + name:
            raise Refusal(
                Code.CONFLICT,
                f"The role {role} was made for the target {said.removeprefix(SIGNED)}, and {name} would share it.",
                "Give this target a name that differs in its first 50 letters and digits, or make its roles by hand and"
                " name them with --diag-dsn-env and --act-dsn-env.",
            )


def _sign(line: Line, roles: tuple[str, str], name: str) -> None:
    for role in roles:
        line.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(SIGNED + name)))


def _role(line: Line, role: str, password: str, sessions: int) -> None:
    verifier = line.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    there = line.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [role]).rowcount
    verb = sql.SQL("ALTER ROLE" if there else "CREATE ROLE")
    line.execute(
        sql.SQL("{} {} LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS CONNECTION LIMIT {} PASSWORD {}").format(
            verb, sql.Identifier(role), sql.Literal(sessions), sql.Literal(verifier)
        )
    )
    database = sql.Identifier(line.info.dbname)
    line.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
    if line.info.server_version >= RESERVED:
        line.execute(sql.SQL("GRANT pg_use_reserved_connections TO {}").format(sql.Identifier(role)))


def _diag(line: Line, role: str, allow: frozenset[str]) -> None:
    line.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(role)))
    for name in DIAG_PRIVILEGES:
        for grant in PRIVILEGES[name].grants:
            _grant(line, grant, role)
    for grant in PRIVILEGES["pg_read_file"].grants:
        _grant(line, grant if "log" in allow else taken_back(grant), role)


def _act(line: Line, role: str, allow: frozenset[str]) -> tuple[str, ...]:
    left_out: list[str] = []
    for right in ACT_RIGHTS:
        if not right.fits(line.info.server_version):
            continue
        if not right.grants or (right.unless and right.unless not in allow):
            left_out.append(right.name)
            _take_back(line, right, role)
            continue
        for grant in right.grants:
            _grant(line, grant, role)
    return tuple(left_out)


def _take_back(line: Line, right: ActRight, role: str) -> None:
    """Take back what was given before and is not allowed now; what no grant of ours gives is left to who gave it."""
    row = line.execute(right.check.encode(), {"role": role}).fetchone() if right.grants else None
    if row is not None and row["held"] is True:
        for grant in right.grants:
            _grant(line, taken_back(grant), role)


def _grant(line: Line, grant: str, role: str) -> None:
    """The lines are constants of this program; only the role's name is put in, quoted."""
    line.execute(grant.replace("{role}", sql.Identifier(role).as_string()).encode())


def _conninfo(admin: Secret, role: str, password: str) -> Secret:
    try:
        params = {**conninfo_to_dict(admin.reveal()), "user": role, "password": password}
    except psycopg.ProgrammingError:
        raise Refusal(Code.INVALID, "The admin connection string cannot be read.", "Correct it.") from None
    params.pop("passfile", None)
    return Secret(make_conninfo("", **params))

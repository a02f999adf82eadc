"""What the act role may need: each right with the statements that grant it, the question that checks it, its tools."""

from ratchet.domain.noun import Noun
from ratchet.tools.postgres.writes.reset_setting import SYSTEM_SETTINGS


class ActRight(Noun):
    """A right of the act role on servers from `low` up to `high` (version numbers; `high` is excluded).

    `grants` have the slots `{role}` and `{database}`, quoted; `check` answers one boolean `held` and takes `%(role)s`.
    `unless` names the opt-in without which provisioning leaves the right out.
    """

    name: str
    grants: tuple[str, ...]
    check: str
    tools: tuple[str, ...]
    low: int = 0
    high: int = 10_000_000
    unless: str = ""

    @property
    def opt_in(self) -> bool:
        """Whether provisioning leaves it out unless it is asked for, or cannot give it at all."""
        return bool(self.unless) or not self.grants

    def fits(self, version: int) -> bool:
        """Whether this is how the right is held on such a server."""
        return self.low <= version < self.high


def taken_back(grant: str) -> str:
    """The statement that takes back what `grant` gives: `GRANT .. TO {role}` or `ALTER ROLE {role} ATTRIBUTE`."""
    if grant.startswith("ALTER ROLE {role} "):
        return grant.replace("ALTER ROLE {role} ", "ALTER ROLE {role} NO")
    return grant.replace("GRANT ", "REVOKE ", 1).removesuffix(" TO {role}") + " FROM {role}"


_SUPER = "(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = %(role)s)"
_SIGNALS = ("postgres.terminate_sessions", "postgres.cancel_queries")
_TABLES = ("postgres.vacuum_table", "postgres.analyze_table")
_OWNERS = ("postgres.create_index", "postgres.drop_indexes", "postgres.reset_table_option")
_ROLES = ("postgres.reset_setting", "postgres.allow_login")
_OWNS = ("SELECT pg_has_role(%(role)s, d.datdba, 'USAGE') AS held FROM pg_catalog.pg_database d "
         "WHERE d.datname = current_database()")  # fmt: skip
_PARAMETERS = ", ".join(sorted(SYSTEM_SETTINGS))
_NAMES = ", ".join(f"'{name}'" for name in sorted(SYSTEM_SETTINGS))


def _member(role: str) -> str:
    return f"SELECT pg_has_role(%(role)s, '{role}', 'USAGE') AS held"


def _may_run(function: str) -> str:
    return f"SELECT has_function_privilege(%(role)s, 'pg_catalog.{function}', 'EXECUTE') AS held"


ACT_RIGHTS: tuple[ActRight, ...] = (
    ActRight(
        name="pg_signal_backend", grants=("GRANT pg_signal_backend TO {role}",),
        check=_member("pg_signal_backend"), tools=_SIGNALS,
    ),
    # Without it backend_start of other roles' sessions reads NULL, and the guarded kill touches nothing.
    ActRight(name="pg_monitor", grants=("GRANT pg_monitor TO {role}",), check=_member("pg_monitor"), tools=_SIGNALS),
    ActRight(
        name="ALTER SYSTEM on named parameters", low=150_000,
        grants=(f"GRANT ALTER SYSTEM ON PARAMETER {_PARAMETERS} TO {{role}}",),
        check=f"SELECT bool_and(has_parameter_privilege(%(role)s, name, 'ALTER SYSTEM')) AS held "
              f"FROM unnest(ARRAY[{_NAMES}]) AS name",
        tools=("postgres.reset_setting", "postgres.turn_on_feedback"),
    ),
    ActRight(
        name="ALTER SYSTEM (a superuser's right before version 15)", high=150_000, grants=(),
        check=f"SELECT {_SUPER} AS held", tools=("postgres.reset_setting", "postgres.turn_on_feedback"),
    ),
    ActRight(
        name="EXECUTE on pg_reload_conf()", grants=("GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO {role}",),
        check=_may_run("pg_reload_conf()"), tools=("postgres.reset_setting", "postgres.turn_on_feedback"),
    ),
    ActRight(
        name="pg_maintain", low=170_000, grants=("GRANT pg_maintain TO {role}",),
        check=_member("pg_maintain"), tools=_TABLES,
    ),
    ActRight(
        name="ownership of the tables or the database (before version 17 nothing less vacuums)", high=170_000,
        grants=(),
        check="SELECT pg_has_role(%(role)s, d.datdba, 'USAGE') AS held FROM pg_catalog.pg_database d "
              "WHERE d.datname = current_database()",
        tools=(*_TABLES, *_OWNERS),
    ),
    ActRight(
        name="ownership of the tables or the database (nothing less builds or drops their indexes)", low=170_000,
        grants=(),
        check="SELECT pg_has_role(%(role)s, d.datdba, 'USAGE') AS held FROM pg_catalog.pg_database d "
              "WHERE d.datname = current_database()",
        tools=_OWNERS,
    ),
    ActRight(
        name="EXECUTE on pg_wal_replay_resume() and pg_wal_replay_pause()",
        grants=(
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO {role}",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_pause() TO {role}",
        ),
        check=_may_run("pg_wal_replay_resume()"), tools=("postgres.resume_replay",),
    ),
    ActRight(
        name="the attribute REPLICATION", unless="slots", grants=("ALTER ROLE {role} REPLICATION",),
        check="SELECT rolreplication OR rolsuper AS held FROM pg_catalog.pg_roles WHERE rolname = %(role)s",
        tools=("postgres.drop_slot",),
    ),
    ActRight(
        name="the attribute CREATEROLE (to take back settings of roles and to let them log in again)",
        high=160_000, unless="role_settings",
        grants=("ALTER ROLE {role} CREATEROLE",),
        check="SELECT rolcreaterole OR rolsuper AS held FROM pg_catalog.pg_roles WHERE rolname = %(role)s",
        tools=_ROLES,
    ),
    ActRight(
        name="CREATEROLE, and ADMIN OPTION on the roles that it lets in again or whose settings it takes back",
        low=160_000, grants=(), check=f"SELECT {_SUPER} AS held", tools=_ROLES,
    ),
    ActRight(
        name="membership in the owner of the database (to take back its settings and its connection limit)", grants=(),
        check=_OWNS, tools=("postgres.reset_setting", "postgres.limit_database"),
    ),
    ActRight(
        name="membership in the owner of the tables (to grant back a right on them)", grants=(),
        check=_OWNS, tools=("postgres.grant_right",),
    ),
)  # fmt: skip

BY_HAND: dict[str, str] = {
    "ALTER SYSTEM (a superuser's right before version 15)": "Upgrade, or take such settings back by hand.",
    "ownership of the tables or the database (before version 17 nothing less vacuums)":
        "GRANT <owner of the tables> TO {role}",
    "ownership of the tables or the database (nothing less builds or drops their indexes)":
        "GRANT <owner of the tables> TO {role}",
    "CREATEROLE, and ADMIN OPTION on the roles that it lets in again or whose settings it takes back":
        "ALTER ROLE {role} CREATEROLE; GRANT <role> TO {role} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    "membership in the owner of the database (to take back its settings and its connection limit)":
        "GRANT <owner of the database> TO {role}",
    "membership in the owner of the tables (to grant back a right on them)":
        "GRANT <owner of the tables> TO {role}",
}  # fmt: skip
"""What to say where no grant of ours would be the least right."""

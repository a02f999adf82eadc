"""What a probe's header may ask for: each privilege with its grants and the question that checks it."""

from collections.abc import Mapping

from ratchet.domain.noun import Noun


class Privilege(Noun):
    """A right of the diag role.

    `grants` are statements with two slots, `{role}` and (for rights per schema) `{schema}`, to be filled with quoted
    identifiers; `check` answers one boolean and takes `%(role)s`. Functions live per database: grant in each one.
    """

    name: str
    meaning: str
    grants: tuple[str, ...]
    check: str
    per_schema: bool = False
    opt_in: bool = False
    """Whether provisioning leaves it out unless it is asked for."""


def _execute(name: str, meaning: str, functions: tuple[str, ...], view: str = "") -> Privilege:
    grants = [f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {{role}}" for function in functions]
    checks = [f"has_function_privilege(%(role)s::text, 'pg_catalog.{function}', 'EXECUTE')" for function in functions]
    if view:
        grants.append(f"GRANT SELECT ON pg_catalog.{view} TO {{role}}")
        checks.append(f"has_table_privilege(%(role)s::text, 'pg_catalog.{view}', 'SELECT')")
    return Privilege(name=name, meaning=meaning, grants=tuple(grants), check=f"SELECT {' AND '.join(checks)}")


_SEQUENCES_READABLE = """
SELECT coalesce(bool_and(has_sequence_privilege(%(role)s::text, c.oid, 'SELECT')), true)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND left(n.nspname::text, 3) <> 'pg_'
"""

PRIVILEGES: Mapping[str, Privilege] = {
    privilege.name: privilege
    for privilege in (
        Privilege(name="none", meaning="any login", grants=(), check="SELECT true"),
        Privilege(
            name="pg_monitor",
            meaning="sees other sessions, statistics, settings and the WAL directory",
            grants=("GRANT pg_monitor TO {role}",),
            check="SELECT pg_has_role(%(role)s::text, 'pg_monitor', 'USAGE')",
        ),
        Privilege(
            name="pg_ls_archive_statusdir",
            meaning="lists the segments that wait to be archived; a part of pg_monitor",
            grants=("GRANT pg_monitor TO {role}",),
            check="SELECT has_function_privilege(%(role)s::text, 'pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE')",
        ),
        Privilege(
            name="sequence_read",
            meaning="reads the sequences of applications",
            grants=(
                "GRANT USAGE ON SCHEMA {schema} TO {role}",
                "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            ),
            check=_SEQUENCES_READABLE,
            per_schema=True,
            opt_in=True,
        ),
        _execute("pg_hba_file_rules", "reads the access rules", ("pg_hba_file_rules()",), "pg_hba_file_rules"),
        _execute("pg_file_settings", "reads the files' settings", ("pg_show_all_file_settings()",), "pg_file_settings"),
        _execute(
            "pg_read_file",
            "reads the server's log (and any other file below the data directory)",
            ("pg_current_logfile()", "pg_read_binary_file(text,bigint,bigint,boolean)"),
        ).model_copy(update={"opt_in": True}),
    )
}
"""Every word that may stand in a header's `privilege:` line."""

"""What the act role lacks for exactly one act, asked of the catalog before anybody is asked to approve it."""

from ratchet.tools.tool import Reader

_SUPER = "(SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = %(act)s)"
ROLE = f"""SELECT {_SUPER} OR (SELECT a.rolcreaterole FROM pg_roles a WHERE a.rolname = %(act)s)
  AND (current_setting('server_version_num')::int < 160000
       OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles a ON a.oid = m.member
                  WHERE g.rolname = %(role)s AND a.rolname = %(act)s AND m.admin_option)) AS held"""
DATABASE = f"""SELECT {_SUPER} OR pg_has_role(%(act)s::name, d.datdba, 'USAGE') AS held
FROM pg_database d WHERE d.datname = %(database)s"""
OWNER = f"""SELECT {_SUPER} OR pg_has_role(%(act)s::name, %(owner)s::name, 'USAGE') AS held"""


def over_role(read: Reader, act: str, role: str) -> str:
    """What `act` lacks to change `role`: an empty text when nothing."""
    if _held(read, ROLE, {"act": act, "role": role}):
        return ""
    return f"CREATEROLE, and from version 16 on ADMIN OPTION on {role}"


def over_database(read: Reader, act: str, database: str) -> str:
    """What `act` lacks to change `database`: an empty text when nothing."""
    held = _held(read, DATABASE, {"act": act, "database": database})
    return "" if held else f"membership in the owner of the database {database}"


def over_owned(read: Reader, act: str, owner: str) -> str:
    """What `act` lacks to grant rights on what `owner` owns: an empty text when nothing."""
    return "" if _held(read, OWNER, {"act": act, "owner": owner}) else f"membership in the owner {owner}"


def _held(read: Reader, sql: str, params: dict[str, str]) -> bool:
    rows = read(sql, params)
    return bool(rows) and rows[0]["held"] is True

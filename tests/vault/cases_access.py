"""Evidence written by hand for rights, roles, settings and schema: clear cases, and what resembles them."""

from typing import Any

from tests.vault import worlds as w
from tests.vault.worlds import Answer

Case = tuple[dict[str, Any], str, list[tuple[str, str]], tuple[str, ...]]
ESCALATE = ("escalate",)
UNREAD = "the server does not write its log as plain text through its collector"


def refused(kind: str, **change: Any) -> dict[str, Any]:
    row = {
        "kind": kind,
        "role": "basket_app",
        "db": None,
        "times": 12,
        "last_s": 0.2,
        "ongoing": True,
        "still": True,
        "is_group": False,
        "superuser": False,
        "rule_line": None,
        "valid_until": None,
        "connection_limit": None,
        "detail": None,
        "reason": None,
    }
    return {"postgres.login_failures": [row | change]}


def denied(kind: str = "table", **change: Any) -> dict[str, Any]:
    row = {
        "kind": kind,
        "name": "parcels",
        "schema": "public",
        "relation": "public.parcels",
        "owner": "shop_app",
        "role": "basket_app",
        "times": 12,
        "last_s": 0.2,
        "ongoing": True,
        "still": True,
        "lacks": ["SELECT"],
        "touched": True,
        "beside": 2,
        "column_rights": False,
        "held_by": "",
        "owns_beside": False,
        "row_security": False,
        "statement": "SELECT count(*) FROM parcels",
        "reason": None,
    }
    seen = row | change
    return {"postgres.denied_statements": [seen], "postgres.lost_rights": [{"used": True, **seen}]}


def missing(kind: str, **change: Any) -> dict[str, Any]:
    row = {
        "kind": kind,
        "name": "parcels",
        "role": "basket_app",
        "times": 12,
        "last_s": 0.2,
        "ongoing": True,
        "still": True,
        "there": "public.parcels",
        "in_schema": "public",
        "may_use": True,
        "path": "archive",
        "path_of": "role",
        "in_path": False,
        "path_used": False,
        "db": "shop",
        "relation": None,
        "schema": None,
        "columns": None,
        "statement": "SELECT count(*) FROM parcels",
        "reason": None,
    }
    return {"postgres.missing_names": [row | change]}


def nowhere(kind: str, **change: Any) -> dict[str, Any]:
    here = {"there": "", "in_schema": None, "may_use": None, "in_path": None, "path": '"$user", public'}
    return missing(kind, **(here | {"path_of": "server"} | change))


def numbered(kind: str, **change: Any) -> dict[str, Any]:
    row = {
        "kind": kind,
        "name": "parcels_number",
        "times": 12,
        "last_s": 0.2,
        "ongoing": True,
        "sequence": "public.parcels_number",
        "relation": "public.parcels",
        "column_name": "id",
        "column_type": "integer",
        "last_value": 50,
        "ceiling": 2147483647,
        "exhausted": False,
        "past_column": False,
        "refused_value": None,
        "behind": None,
        "statement": "INSERT INTO parcels (note) VALUES ('x')",
        "reason": None,
    }
    return {"postgres.numbering_failures": [row | change]}


def limited(kind: str, setting: str, **change: Any) -> dict[str, Any]:
    row = {
        "kind": kind,
        "role": "basket_app",
        "times": 12,
        "last_s": 0.2,
        "ongoing": True,
        "setting": setting,
        "value": "5ms",
        "value_ms": 5.0,
        "limit_kb": None,
        "set_for": "role",
        "set_by": None,
        "db": "shop",
        "still": True,
        "statement": "UPDATE parcels SET note = 'x'",
        "reason": None,
    }
    return {"postgres.statement_limits": [row | change]}


def reads_only(by: str) -> dict[str, Any]:
    canary = {"ok": 1, "db": "shop", "in_recovery": False, "read_only": True, "read_only_by": by}
    return {"postgres.canary": [canary]}


def given(name: str, value: str, role: str = "", db: str = "") -> dict[str, Any]:
    return {"db": db, "role": role, "name": name, "value": value}


READ_ONLY = "default_transaction_read_only"
CANARY_READS = reads_only("database")
BY_DATABASE = {"postgres.role_db_settings": [{"db": "shop", "role": "", "name": READ_ONLY, "value": "on"}]}
AUTO_CONF = {
    "name": READ_ONLY,
    "value": "on",
    "file": "postgresql.auto.conf",
    "line": 3,
    "applied": True,
    "wrong": False,
}
STANDBY = {"postgres.ping": [{"in_recovery": True, "can_see_others": True, "version_num": 150018}]}
EMPTIED = {
    "relation": "public.carts",
    "est_rows": 2000,
    "bytes": 0,
    "emptied": True,
    "crashed_s": 600.0,
    "owner": "shop_app",
    "schema": "public",
}
ROLE = [("role", "basket_app")]
TABLE = [("table", "public.parcels")]
SEQUENCE = [("sequence", "public.parcels_number")]
DATABASE = [("database", "shop")]
CASES: dict[str, Case] = {
    "LOGIN taken": (refused("nologin"), "role_nologin", ROLE, ("allow_login",)),
    "LOGIN of one who is asked for seldom": (refused("nologin", times=3), "role_nologin", ROLE, ESCALATE),
    "LOGIN of a superuser": (refused("nologin", superuser=True), "role_nologin", ROLE, ESCALATE),
    "a group logs in": (refused("nologin", is_group=True), "role_nologin", ROLE, ESCALATE),
    "password past its end": (refused("expired"), "role_nologin", ROLE, ESCALATE),
    "password changed": (refused("wrong_password"), "role_password_changed", ROLE, ESCALATE),
    "method changed from md5 to scram": (
        refused("unfit_secret", detail='User "basket_app" does not have a valid SCRAM secret.'),
        "authentication_method_changed", ROLE, ESCALATE,
    ),
    "password removed": (refused("no_password"), "authentication_method_changed", ROLE, ESCALATE),
    "directory down": (refused("other_method"), "external_authentication_failed", ROLE, ESCALATE),
    "certificate expired": (
        {"postgres.log_signs": [w.sign("tls_expired")]}, "tls_certificate_expired", [("file", "certificate")], ESCALATE,
    ),
    "name that does not resolve": ({"postgres.canary": Answer.NAME_RESOLUTION}, "name_resolution_failed", [], ESCALATE),
    "database renamed": (
        refused("database_missing", role=None, db="shop"), "database_missing", DATABASE, ESCALATE,
    ),
    "role dropped": (refused("role_missing"), "role_missing", ROLE, ESCALATE),
    "CONNECT revoked": (refused("no_connect", role=None, db="shop"), "privilege_revoked", DATABASE, ESCALATE),
    "database closed": (refused("closed", role=None, db="shop"), "database_closed", DATABASE, ESCALATE),
    "limit of a role": (refused("role_limit", connection_limit=0), "database_connection_limit", ROLE, ESCALATE),
    "rule rejects, seen by its log alone": (
        refused("hba_reject"), "hba_rejection", [("file", "pg_hba.conf")], ESCALATE,
    ),
    "no rule fits": (refused("hba_none"), "hba_rejection", [("file", "pg_hba.conf")], ESCALATE),
    "right revoked": (denied(), "privilege_revoked", TABLE, ("grant_back",)),
    "right that nothing shows to have been used": (denied(used=False), "privilege_missing", TABLE, ESCALATE),
    "right revoked where nobody remembers statements": (
        {**denied(), "postgres.lost_rights": Answer.MISSING}, "privilege_missing", TABLE, ESCALATE,
    ),
    "right never granted": (denied(touched=False), "privilege_missing", TABLE, ESCALATE),
    "right held by a group": (denied(held_by="readers"), "privilege_missing", TABLE, ESCALATE),
    "right on columns only": (denied(column_rights=True), "privilege_missing", TABLE, ESCALATE),
    "owner changed": (denied(owns_beside=True), "privilege_missing", TABLE, ESCALATE),
    "must be owner": (denied("owner", still=None, lacks=None, touched=False), "privilege_missing", [], ESCALATE),
    "sequence right": (
        denied("sequence", relation="public.parcels_number", lacks=["USAGE"]), "privilege_revoked", SEQUENCE, ESCALATE,
    ),
    "schema right": (
        denied("schema", name="public", relation=None, lacks=["USAGE"]), "privilege_revoked", ROLE, ESCALATE,
    ),
    "row policy": (denied("policy", row_security=True, lacks=None), "row_security_policy", TABLE, ESCALATE),
    "search_path of a role": (missing("relation"), "search_path_changed", ROLE, ("take_back_of_role",)),
    "search_path of the database": (
        missing("relation", path_of="database"), "search_path_changed", DATABASE, ("take_back_of_database",),
    ),
    "table in another schema": (
        missing("relation", path_of="server", there="archive.parcels", in_schema="archive"),
        "table_missing", [("table", "archive.parcels")], ESCALATE,
    ),
    "schema without USAGE": (
        missing("relation", may_use=False, in_path=True, path_of="server"), "privilege_revoked", ROLE, ESCALATE,
    ),
    "table dropped, with a namesake elsewhere": (
        missing("relation", path="basket_app", path_used=True),
        "table_missing", [("table", "public.parcels")], ESCALATE,
    ),
    "table nowhere": (nowhere("relation"), "table_missing", [("table", "parcels")], ESCALATE),
    "column gone": (
        nowhere("column", name="note", relation="public.parcels", schema="public", columns="id, remark"),
        "schema_drift_column_missing", TABLE, ESCALATE,
    ),
    "type changed": (
        nowhere("type", name="note", relation="public.parcels"), "schema_drift_column_missing", TABLE, ESCALATE,
    ),
    "function gone": (
        nowhere("function", name="digest"), "function_missing", [("statement", "digest")], ESCALATE,
    ),
    "read-only database": ({**CANARY_READS, **BY_DATABASE}, READ_ONLY, DATABASE, ("take_back_of_database",)),
    "read-only database beside an archive that is meant to be": (
        {
            **CANARY_READS,
            "postgres.role_db_settings": [given(READ_ONLY, "on", db=name) for name in ("archive", "shop")],
        },
        READ_ONLY, DATABASE, ("take_back_of_database",),
    ),
    "read-only database that the log tells of": (
        {
            **limited("read_only", READ_ONLY, value="on", value_ms=None, set_for="database"),
            "postgres.role_db_settings": [given(READ_ONLY, "on", db=name) for name in ("archive", "shop")],
        },
        READ_ONLY, DATABASE, ("take_back_of_database",),
    ),
    "read-only role": (
        limited("read_only", READ_ONLY, value="on", value_ms=None), READ_ONLY, ROLE, ("take_back_of_role",),
    ),
    "read-only server": (
        {**reads_only("configuration file"), "postgres.file_settings": [AUTO_CONF]},
        READ_ONLY, [("setting", READ_ONLY)], ("take_back_of_server",),
    ),
    "read only": (reads_only("command line"), READ_ONLY, DATABASE, ESCALATE),
    "writes to a standby": (
        {**STANDBY, **limited("read_only", READ_ONLY, value=None, set_for=None, still=False)},
        "writes_sent_to_standby", ROLE, ESCALATE,
    ),
    "lock timeout of a role": (
        limited("lock_timeout", "lock_timeout"), "session_timeout_too_low", ROLE, ("take_back_of_role",),
    ),
    "statement timeout of the database": (
        limited("statement_timeout", "statement_timeout", set_for="database"),
        "statement_timeout_too_low", DATABASE, ("take_back_of_database",),
    ),
    "statement timeout of the server": (
        limited("statement_timeout", "statement_timeout", set_for="server", set_by="ALTER SYSTEM"),
        "statement_timeout_too_low", [("setting", "statement_timeout")], ("reset_server_timeout",),
    ),
    "statement timeout in the server's file": (
        limited("statement_timeout", "statement_timeout", set_for="server", set_by="postgresql.conf"),
        "statement_timeout_too_low", [("setting", "statement_timeout")], ESCALATE,
    ),
    "idle timeout of the server": (
        limited("idle_session", "idle_session_timeout", value="5s", value_ms=5000.0, set_for="server"),
        "session_timeout_too_low", [("setting", "idle_session_timeout")], ESCALATE,
    ),
    "transaction timeout of a role": (
        limited("transaction_timeout", "transaction_timeout", value="50ms", value_ms=50.0),
        "session_timeout_too_low", ROLE, ("take_back_of_role",),
    ),
    "sequence at its end": (numbered("sequence_end", exhausted=True), "sequence_exhausted", SEQUENCE, ESCALATE),
    "key past its type": (numbered("out_of_range", past_column=True), "int4_primary_key_overflow", TABLE, ESCALATE),
    "sequence behind its table": (
        numbered("duplicate_key", refused_value=50, behind=True), "sequence_behind_table", SEQUENCE, ESCALATE,
    ),
    "unlogged table emptied by a crash of the whole server": (
        {
            "postgres.unlogged_tables": [EMPTIED | {"crashed_s": None}],
            "postgres.log_signs": [w.sign("crash_recovery", count=1)],
        },
        "unlogged_table_truncated", [("table", "public.carts")], ESCALATE,
    ),
    "unlogged table emptied": (
        {"postgres.unlogged_tables": [EMPTIED]}, "unlogged_table_truncated", [("table", "public.carts")], ESCALATE,
    ),
}  # fmt: skip
LOOK_ALIKES: dict[str, dict[str, Any]] = {
    "a locked role that nobody tries any more": refused("nologin", ongoing=False, last_s=200.0),
    "a role that was let in again a moment ago": refused("nologin", still=False),
    "one person with a wrong password": refused("wrong_password", times=2),
    "a right that was given back a moment ago": denied(still=False, lacks=None),
    "a statement that somebody tried once": denied(ongoing=False, times=1),
    "a denied statement of nobody knows whom": denied(role=None, still=None, lacks=None),
    "a table that was not there and is back": missing("relation", still=False, in_path=True),
    "a read-only role whose reports work": {
        "postgres.role_db_settings": [{"db": "", "role": "reports", "name": READ_ONLY, "value": "on"}]
    },
    "a canary whose own role only reads": {
        **reads_only("user"),
        "postgres.role_db_settings": [given(READ_ONLY, "on", role="canary")],
    },
    "an archive that is read-only on purpose": {"postgres.role_db_settings": [given(READ_ONLY, "on", db="archive")]},
    "an idle session timeout that ends sessions of an hour": limited(
        "idle_session", "idle_session_timeout", value="1h", value_ms=3600000.0
    ),
    "an expired certificate of an hour ago": {"postgres.log_signs": [w.sign("tls_expired", recent=0, age_s=3600.0)]},
    "a database that one client asked for": refused("database_missing", role=None, db="shpo", times=2),
    "a transaction that its client made read-only": limited(
        "read_only", READ_ONLY, value=None, value_ms=None, set_for=None, still=False
    ),
    "a generous lock timeout that was met": limited("lock_timeout", "lock_timeout", value="10s", value_ms=10000.0),
    "a key that somebody inserts twice by hand": numbered("duplicate_key", refused_value=7, behind=False),
    "a number too large that no sequence made": numbered("out_of_range", past_column=False),
    "an unlogged table that is as it was": {"postgres.unlogged_tables": [EMPTIED | {"bytes": 8192, "emptied": False}]},
    "an unlogged table of a server that never crashed": {"postgres.unlogged_tables": [EMPTIED | {"crashed_s": None}]},
}
UNREADABLE = {
    probe: [dict.fromkeys(row[0]) | {"reason": UNREAD}]
    for made in (refused("x"), denied(used=None), missing("x"), numbered("x"), limited("x", "x"))
    for probe, row in made.items()
}
"""The log cannot be read: every one of these probes says so in a row of nulls."""
